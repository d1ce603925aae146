//! Keeps tokens in files of a folder that only this user can enter.

mod draft;
mod folder;
mod lock;
mod place;
mod prune;
#[cfg(test)]
mod tests;
mod turn;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use self::draft::Draft;
pub(super) use self::folder::default_folder;
use self::lock::Lock;
use self::place::Place;
use super::StoreError;
use super::seal::LONGEST;
use super::session::{Backend, Holder, Item, Session, StoredItem, Turn, View};
use super::stamp::Stamp;
use crate::error::Error;
use crate::random;
use crate::sys::clock::Clock;
use crate::sys::folder::{Folder, Found};
use crate::unix_time::since_1970;

/// For how long a session waits for the folder in all. Who has it locked renames a file, and is stopped if
/// it takes longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// A byte more than what we may have written shows that it was not us.
const MOST_READ: usize = LONGEST + 1;

pub(super) struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    pub(super) fn new(folder: PathBuf) -> Result<Self, Error> {
        folder::check_absolute(&folder)?;
        Ok(Self { folder })
    }

    fn place(&self, name: &str, item: Item) -> Place<'_> {
        let file = match item {
            Item::Token => name.to_owned(),
            other => format!("{name}.{}", other.word()),
        };
        Place { folder: &self.folder, file }
    }
}

impl Backend for FileStore {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError> {
        Ok(Box::new(FileSession { store: self, turns: Vec::new(), patience: PATIENCE }))
    }

    fn location(&self, name: &str) -> String {
        self.place(name, Item::Token).location()
    }

    /// Where nothing is left of a probe that was killed.
    fn probe_name(&self, _name: &str) -> String {
        random::name()
    }
}

/// The use of the store for one token request.
struct FileSession<'a> {
    store: &'a FileStore,
    /// Under which names it is this session's turn.
    turns: Vec<(String, Lock)>,
    patience: Duration,
}

impl Session for FileSession<'_> {
    fn look(&mut self, name: &str) -> Result<View, StoreError> {
        let [token, backoff] =
            [Item::Token, Item::Backoff].map(|item| self.store.place(name, item));
        let Some(folder) = folder::open(&token)? else {
            return Ok(View { now: now(), token: None, backoff: None });
        };
        // In this order: who brings a token removes the back-off after that.
        // What cannot be read is no back-off, and the next one takes its place.
        let backoff = read(&folder, &backoff).unwrap_or(None);
        let token = read(&folder, &token)?;
        // After what was read, so that no moment in there is later.
        Ok(View { now: now(), token, backoff })
    }

    fn try_lock(&mut self, name: &str, from: Option<&Holder>) -> Result<Turn, StoreError> {
        let is_ours = |(of, lock): &(String, Lock)| of == name && lock.file().is_some();
        if self.turns.iter().any(is_ours) {
            return Ok(Turn::Ours);
        }
        let place = self.store.place(name, Item::Token);
        let folder = folder::make(&place)?;
        let turn = turn::try_take(&folder, name, from);
        match turn.map_err(|error| place.not_locked(error))? {
            Ok(lock) => {
                self.turns.push((name.to_owned(), lock));
                Ok(Turn::Ours)
            }
            Err(holder) => Ok(Turn::Theirs(holder)),
        }
    }

    fn replace(
        &mut self,
        name: &str,
        item: Item,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        _life: Duration,
    ) -> Result<bool, StoreError> {
        let place = self.store.place(name, item);
        let Some(blob) = new else {
            let Some(folder) = folder::open(&place)? else { return Ok(old.is_none()) };
            return self.swap(&folder, &place, old, None);
        };
        let folder = folder::make(&place)?;
        let draft = Draft::write(&folder, &draft_stem(name, item), blob);
        let draft = draft.map_err(|error| place.failed("cannot be written", error))?;
        self.swap(&folder, &place, old, Some(draft))
    }
}

impl FileSession<'_> {
    /// Compares and replaces while nobody else does: all of it is short, and nothing is written to the disk.
    fn swap(
        &mut self,
        folder: &Folder,
        place: &Place<'_>,
        old: Option<&[u8]>,
        new: Option<Draft<'_>>,
    ) -> Result<bool, StoreError> {
        let dead = prune::find(folder);
        let lock = lock::wait_for_folder(folder, &mut self.patience);
        let lock = lock.map_err(|error| place.not_locked(error))?.ok_or_else(|| {
            place
                .error("cannot be written, since another process keeps its folder locked; end that")
        })?;
        let present = folder.read(&place.file, MOST_READ);
        let present = present.map_err(|error| place.failed("cannot be read", error))?.bytes();
        let is_old = present.as_deref() == old;
        if is_old {
            let replaced = match new {
                Some(draft) => draft.rename(&place.file),
                None => remove(folder, &place.file),
            };
            replaced.map_err(|error| place.failed("cannot be replaced", error))?;
        }
        prune::remove(folder, &lock, &dead);
        Ok(is_old)
    }
}

impl Drop for FileSession<'_> {
    fn drop(&mut self) {
        for (name, lock) in &self.turns {
            let place = self.store.place(name, Item::Token);
            if let Ok(Some(folder)) = folder::open(&place) {
                turn::end(&folder, name, lock);
            }
        }
    }
}

fn read(folder: &Folder, place: &Place<'_>) -> Result<Option<StoredItem>, StoreError> {
    match folder.read(&place.file, MOST_READ) {
        Ok(Found::Foreign(why)) => Err(place.error(format_args!("{why}; remove it"))),
        Ok(found) => Ok(found.bytes().map(|blob| StoredItem { blob, left: None })),
        Err(error) => Err(place.failed("cannot be read", error)),
    }
}

fn remove(folder: &Folder, name: &str) -> io::Result<()> {
    match folder.remove(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// By the clock that neither stands still in suspension nor is ever set, where there is one.
fn now() -> Stamp {
    Stamp::of_boot(&Clock::System)
        .unwrap_or_else(|| Stamp::new("wall", since_1970(SystemTime::now())))
}

fn draft_stem(name: &str, item: Item) -> String {
    format!("{name}.{}", item.word())
}
