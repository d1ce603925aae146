//! Keeps tokens in files of a folder that only this user can enter.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::StoreError;
use super::seal::LONGEST;
use super::session::{Backend, Item, Session, StoredItem};
use crate::env::Common;
use crate::error::Error;
use crate::sys::file::{FileError, read_regular};
use crate::sys::fork::ClosedInChild;
use crate::text::{self, printable};

const FOLDER: &str = "clazar-auth";

/// File systems whose locks and renames other hosts may see otherwise: NFS, SMB 1 to 3, AFS, Ceph, 9P,
/// Lustre and what FUSE brings (linux/magic.h).
#[cfg(target_os = "linux")]
const NETWORK: [u32; 8] =
    [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f, 0x00c3_6400, 0x0102_1997, 0x6573_5546];

pub(super) struct FileStore {
    folder: PathBuf,
    name: String,
}

/// The use of the store for one token request.
pub(super) struct FileSession<'a> {
    store: &'a FileStore,
    lock: Option<Lock>,
}

impl Session for FileSession<'_> {
    fn load(&mut self, item: Item) -> Result<Option<StoredItem>, StoreError> {
        Ok(self.store.load(item)?.map(|blob| StoredItem { blob, left: None }))
    }

    fn save(
        &mut self,
        item: Item,
        blob: &[u8],
        _sent: u64,
        _life: Duration,
    ) -> Result<(), StoreError> {
        self.store.save(item, blob)
    }

    fn erase(&mut self, item: Item) -> Result<(), StoreError> {
        self.store.erase(item)
    }

    fn try_lock(&mut self) -> Result<bool, StoreError> {
        self.lock = self.store.try_lock()?;
        Ok(self.lock.is_some())
    }
}

/// The right to make a token request, among the processes of this machine. The kernel takes it back when
/// the process dies; a forked child does not inherit it.
struct Lock {
    file: ClosedInChild<OwnedFd>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would leave it to a child that inherited it. That child must not unlock.
        if let Some(file) = self.file.get() {
            let _ = fs::flock(file, FlockOperation::Unlock);
        }
    }
}

/// `$XDG_RUNTIME_DIR` first, else `$XDG_CACHE_HOME`, else `~/.cache`: in there a folder of ours.
pub(super) fn default_folder(variables: Common) -> Result<PathBuf, Error> {
    let base = match variables.read_any(&["XDG_RUNTIME_DIR", "XDG_CACHE_HOME"])? {
        Some(folder) => PathBuf::from(folder),
        None => match variables.read("HOME")? {
            Some(home) => Path::new(&home).join(".cache"),
            None => {
                return Err(Error::invalid(format!(
                    "there is no place for the file store, since {}; give the path of a folder",
                    variables.why_unset("XDG_RUNTIME_DIR, XDG_CACHE_HOME and HOME")
                )));
            }
        },
    };
    Ok(base.join(FOLDER))
}

impl Backend for FileStore {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError> {
        Ok(Box::new(FileSession { store: self, lock: None }))
    }

    fn location(&self) -> String {
        let path = self.folder.join(&self.name);
        printable(&path.to_string_lossy(), text::LONGEST)
    }
}

impl FileStore {
    pub(super) fn new(folder: PathBuf, name: &str) -> Self {
        Self { folder, name: name.to_owned() }
    }

    fn file(&self, item: Item) -> String {
        match item {
            Item::Token => self.name.clone(),
            Item::Failure => format!("{}.failed", self.name),
            Item::Probe => format!("{}.trial", self.name),
        }
    }

    /// The file's bytes; `None` if there is none.
    fn load(&self, item: Item) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(folder) = self.open_folder()? else { return Ok(None) };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match fs::openat(&folder, self.file(item), flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(self.error("is a link; remove it")),
            Err(error) => return Err(self.failed("cannot be opened", error)),
        };
        let stat = fs::fstat(&file).map_err(|error| self.failed("cannot be looked at", error))?;
        self.check(&stat)?;
        let blob = read_regular(&file, &stat, LONGEST);
        let mut blob = blob.map_err(|why| match why {
            FileError::NotRead(_) => self.error(&why.to_string()),
            _ => self.error(&format!("{why}; remove it")),
        })?;
        Ok(Some(std::mem::take(&mut *blob)))
    }

    fn check(&self, stat: &Stat) -> Result<(), StoreError> {
        if stat.st_uid != geteuid().as_raw() {
            return Err(self.error("belongs to another user; remove it"));
        }
        if stat.st_mode & 0o077 != 0 {
            return Err(self.error("can be used by other users; remove it"));
        }
        Ok(())
    }

    /// Replaces the file, all of it or nothing.
    fn save(&self, item: Item, blob: &[u8]) -> Result<(), StoreError> {
        let folder = self.make_folder()?;
        let name = self.file(item);
        let temporary = format!("{name}.new");
        // What a killed process left behind; nobody else writes while we hold the lock.
        let _ = fs::unlinkat(&folder, &*temporary, AtFlags::empty());
        let written = self.write(&folder, &temporary, &name, blob);
        if written.is_err() {
            let _ = fs::unlinkat(&folder, &*temporary, AtFlags::empty());
        }
        written
    }

    fn write(
        &self,
        folder: &OwnedFd,
        temporary: &str,
        name: &str,
        blob: &[u8],
    ) -> Result<(), StoreError> {
        let failed = |error: Errno| self.failed("cannot be written", error);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(folder, temporary, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        let mut file = File::from(file);
        let synced = file.write_all(blob).and_then(|()| file.sync_all());
        synced.map_err(|error| self.failed("cannot be written", error))?;
        fs::renameat(folder, temporary, folder, name).map_err(failed)
    }

    fn erase(&self, item: Item) -> Result<(), StoreError> {
        let Some(folder) = self.open_folder()? else { return Ok(()) };
        match fs::unlinkat(&folder, self.file(item), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failed("cannot be removed", error)),
        }
    }

    /// `None` if another process holds it. The lock's file stays for ever: to remove it would let two
    /// processes hold two locks.
    fn try_lock(&self) -> Result<Option<Lock>, StoreError> {
        let folder = self.make_folder()?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let name = format!("{}.lock", self.name);
        let failed = |error| self.failed("cannot be locked", error);
        let open = || fs::openat(&folder, &*name, flags, Mode::RUSR | Mode::WUSR);
        let file = ClosedInChild::open(open).map_err(failed)?;
        let lock = |file| fs::flock(file, FlockOperation::NonBlockingLockExclusive);
        match file.get().map_or(Err(Errno::BADF), lock) {
            Ok(()) => Ok(Some(Lock { file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn make_folder(&self) -> Result<OwnedFd, StoreError> {
        if let Some(folder) = self.open_folder()? {
            return Ok(folder);
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|error| self.failed("has no folder", error))?;
        self.open_folder()?.ok_or_else(|| self.error("has no folder"))
    }

    /// The folder, if there is one that only this user can enter.
    fn open_folder(&self) -> Result<Option<OwnedFd>, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = match fs::open(&self.folder, flags, Mode::empty()) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.failed("has a folder that cannot be opened", error)),
        };
        let stat = fs::fstat(&folder);
        let stat =
            stat.map_err(|error| self.failed("has a folder that cannot be looked at", error))?;
        if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
            return Err(self.error("has a folder that other users can enter; set its mode to 0700"));
        }
        self.refuse_network(&folder)?;
        Ok(Some(folder))
    }

    #[cfg(target_os = "linux")]
    fn refuse_network(&self, folder: &OwnedFd) -> Result<(), StoreError> {
        let system = fs::fstatfs(folder);
        let system =
            system.map_err(|error| self.failed("has a folder that cannot be looked at", error))?;
        if NETWORK.contains(&(system.f_type as u32)) {
            return Err(self.error("is on a network file system; give the path of a local folder"));
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn refuse_network(&self, _folder: &OwnedFd) -> Result<(), StoreError> {
        Ok(())
    }

    fn failed(&self, what: &str, error: impl Into<io::Error>) -> StoreError {
        self.error(&format!("{what} ({})", text::system(&error.into())))
    }

    fn error(&self, what: &str) -> StoreError {
        StoreError(format!("the token file {} {what}", self.location()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::tests::without_slots;

    #[test]
    fn a_lock_is_a_lock_however_many_there_are() {
        let folder = std::env::temp_dir().join(format!("clazar-auth-locks-{}", std::process::id()));
        let store = FileStore::new(folder.clone(), "not-a-real-name");
        without_slots(|| {
            let held = store.try_lock().unwrap();
            assert!(held.is_some() && store.try_lock().unwrap().is_none());
            drop(held);
            assert!(store.try_lock().unwrap().is_some());
        });
        std::fs::remove_dir_all(folder).unwrap();
    }
}
