//! Locks files by the kernel, which takes a lock back when its process dies.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::folder;
use crate::random;
use crate::sys::fork::ClosedInChild;

/// How often a lock file is opened anew that was removed before it was locked.
const MOST_TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

/// An exclusive lock. A forked child does not inherit it.
pub(super) struct Lock {
    file: ClosedInChild<OwnedFd>,
}

impl Lock {
    /// On what `open` opens; `None` if another has it.
    fn try_on(open: impl Fn() -> Result<OwnedFd, Errno>) -> Result<Option<Self>, Errno> {
        let file = ClosedInChild::open(open)?;
        let lock =
            |file| retry_on_intr(|| fs::flock(file, FlockOperation::NonBlockingLockExclusive));
        match file.get().map_or(Err(Errno::BADF), lock) {
            Ok(()) => Ok(Some(Self { file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The locked file; `None` in a child of the process that locked it.
    pub(super) fn file(&self) -> Option<&OwnedFd> {
        self.file.get()
    }

    /// Whether the file of this name is still the one that is locked.
    pub(super) fn is_on(&self, folder: &OwnedFd, name: &str) -> Result<bool, Errno> {
        let locked = fs::fstat(self.file().ok_or(Errno::BADF)?)?;
        match fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok((named.st_dev, named.st_ino) == (locked.st_dev, locked.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would leave it to a child that inherited it. That child must not unlock.
        if let Some(file) = self.file.get() {
            let _ = fs::flock(file, FlockOperation::Unlock);
        }
    }
}

/// Locks the file of this name, which is made if there is none; `None` if another has it.
pub(super) fn try_file(folder: &OwnedFd, name: &str) -> Result<Option<Lock>, Errno> {
    try_open(folder, name, OFlags::CREATE)
}

/// As [`try_file`], but an error if there is no such file.
pub(super) fn try_existing(folder: &OwnedFd, name: &str) -> Result<Option<Lock>, Errno> {
    try_open(folder, name, OFlags::empty())
}

fn try_open(folder: &OwnedFd, name: &str, more: OFlags) -> Result<Option<Lock>, Errno> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | more;
    let open = || retry_on_intr(|| fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR));
    for _ in 0..MOST_TRIES {
        let Some(lock) = Lock::try_on(open)? else { return Ok(None) };
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
    folder: &OwnedFd,
    patience: &mut Duration,
) -> Result<Option<Lock>, Errno> {
    let since = Instant::now();
    let open = || retry_on_intr(|| fs::openat(folder, ".", folder::OPEN, Mode::empty()));
    let lock = loop {
        match Lock::try_on(open)? {
            None if since.elapsed() < *patience => {
                thread::sleep(BETWEEN_TRIES.mul_f64(random::upper_half()));
            }
            lock => break lock,
        }
    };
    *patience = patience.saturating_sub(since.elapsed());
    Ok(lock)
}
