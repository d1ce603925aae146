//! Locks files by the kernel, which takes a lock back when its process dies.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::random;
use crate::sys::folder::{Folder, LockFile};
use crate::sys::fork::ClosedInChild;

/// How often a lock file is opened anew that was removed before it was locked.
const MOST_TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

/// An exclusive lock. A forked child does not inherit it.
pub(super) struct Lock {
    file: ClosedInChild<LockFile>,
}

impl Lock {
    /// On what `open` opens; `None` if another has it.
    fn try_on(open: impl Fn() -> io::Result<LockFile>) -> io::Result<Option<Self>> {
        let file = ClosedInChild::open(open)?;
        let is_locked = file.get().map_or(Ok(false), LockFile::try_lock)?;
        Ok(is_locked.then_some(Self { file }))
    }

    /// The locked file; `None` in a child of the process that locked it.
    pub(super) fn file(&self) -> Option<&LockFile> {
        self.file.get()
    }

    /// Whether the file of this name is still the one that is locked.
    pub(super) fn is_on(&self, folder: &Folder, name: &str) -> io::Result<bool> {
        self.file().map_or(Ok(false), |file| file.is(folder, name))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would leave it to a child that inherited it. That child must not unlock.
        if let Some(file) = self.file.get() {
            file.unlock();
        }
    }
}

/// Locks the file of this name, which is made if there is none; `None` if another has it.
pub(super) fn try_file(folder: &Folder, name: &str) -> io::Result<Option<Lock>> {
    try_open(folder, name, true)
}

/// As [`try_file`], but an error if there is no such file.
pub(super) fn try_existing(folder: &Folder, name: &str) -> io::Result<Option<Lock>> {
    try_open(folder, name, false)
}

fn try_open(folder: &Folder, name: &str, may_make: bool) -> io::Result<Option<Lock>> {
    for _ in 0..MOST_TRIES {
        let lock = Lock::try_on(|| folder.open_lock(name, may_make))?;
        let Some(lock) = lock else { return Ok(None) };
        // Who holds the lock of a removed file does not keep out those who lock the next.
        if lock.is_on(folder, name)? {
            return Ok(Some(lock));
        }
    }
    Ok(None)
}

/// Locks the folder itself, and waits for that no longer than `patience`, which becomes the rest;
/// `None` if another has it all the time.
pub(super) fn wait_for_folder(
    folder: &Folder,
    patience: &mut Duration,
) -> io::Result<Option<Lock>> {
    let since = Instant::now();
    let lock = loop {
        match Lock::try_on(|| folder.own_lock())? {
            None if since.elapsed() < *patience => {
                thread::sleep(BETWEEN_TRIES.mul_f64(random::upper_half()));
            }
            lock => break lock,
        }
    };
    *patience = patience.saturating_sub(since.elapsed());
    Ok(lock)
}
