//! Tests the file store with real files and, where it matters, with real processes.

mod child;
mod counter;
mod items;
mod paths;
mod pruning;
mod turns;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
mod writers;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;
use super::FileStore;
use crate::store::StoreError;
use crate::store::session::{Backend, Holder, Item, Session, StoredItem, Turn, View};

/// As long as those that are used.
const NAME: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const LIFE: Duration = Duration::from_secs(60);

/// A folder that is removed in the end, and its store.
struct Folder {
    path: PathBuf,
    store: FileStore,
}

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("clazar-auth-file-{}-{number}", std::process::id());
        // A disk under load takes seconds for an fsync.
        let memory = PathBuf::from("/dev/shm");
        let base =
            if memory.is_absolute() && memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = base.join(name);
        Self { store: FileStore::new(path.clone()).unwrap(), path }
    }

    fn open(&self) -> Box<dyn Session + '_> {
        self.store.open().unwrap()
    }

    fn look(&self) -> View {
        self.open().look(NAME).unwrap()
    }

    fn try_lock(&self, from: Option<&Holder>) -> (Box<dyn Session + '_>, Turn) {
        let mut session = self.open();
        let turn = session.try_lock(NAME, from).unwrap();
        (session, turn)
    }

    fn replace(
        &self,
        item: Item,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        self.open().replace(NAME, item, old, new, LIFE)
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.path.join(format!("{NAME}{ending}"))
    }

    /// The names of all files in it, without what our names start with, and without the one that stands for the
    /// folder on Windows.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names = names.filter(|name| name != "folder.lock");
        let mut names: Vec<_> = names.map(|name| name.replace(NAME, "NAME")).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn blob(item: Option<StoredItem>) -> Option<Vec<u8>> {
    item.map(|item| item.blob)
}
