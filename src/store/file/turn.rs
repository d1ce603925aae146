//! Decides which process makes a token request, also when the one whose turn it is has been stopped.

use std::os::fd::OwnedFd;

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::{Errno, pread, pwrite};

use super::entry::random_id;
use super::lock::{self, Lock};
use crate::store::session::Holder;

/// What the names of lock files end in. A process that is stopped holds the first lock for as long as that
/// lasts; among those who have waited too long for it, the second makes one the next.
pub(super) const ENDINGS: [&str; 2] = ["lock", "lock2"];

/// Says in a lock file whose lock it is.
type Id = [u8; 16];

/// The lock that makes it our turn, or whose turn it is.
pub(super) fn try_take(
    folder: &OwnedFd,
    name: &str,
    takes_over: bool,
) -> Result<Result<Lock, Holder>, Errno> {
    let files = ENDINGS.map(|ending| format!("{name}.{ending}"));
    let [first, second] = &files;
    let lock = match lock::try_file(folder, first)? {
        // Whoever has taken over from one that is dead by now goes before those who come new.
        Some(lock) => (takes_over || is_free(folder, second)?).then_some(lock),
        None if takes_over => lock::try_file(folder, second)?,
        None => None,
    };
    match lock {
        Some(lock) => {
            sign(&lock);
            Ok(Ok(lock))
        }
        None => Ok(Err(Holder(files.map(|file| id(folder, &file)).concat()))),
    }
}

/// Removes the file of a lock that is about to be released. Who has opened it locks it too late, and opens
/// the next one.
pub(super) fn end(folder: &OwnedFd, name: &str, lock: &Lock) {
    for file in ENDINGS.map(|ending| format!("{name}.{ending}")) {
        if lock.is_on(folder, &file).unwrap_or(false) {
            let _ = fs::unlinkat(folder, &*file, AtFlags::empty());
        }
    }
}

fn is_free(folder: &OwnedFd, name: &str) -> Result<bool, Errno> {
    match lock::try_existing(folder, name) {
        Ok(lock) => Ok(lock.is_some()),
        Err(Errno::NOENT) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Writes an id into the lock file, once for each turn: whoever reads before or in the middle of that sees
/// the holder change once more than it did, and no more often. On a full disk the last id stays, and the
/// others wait for the new holder no longer than for the last.
fn sign(lock: &Lock) {
    if let (Some(file), Ok(id)) = (lock.file(), random_id()) {
        let _ = pwrite(file, &id, 0);
    }
}

/// What the last one who had the lock has written; zeros before the first.
fn id(folder: &OwnedFd, name: &str) -> Id {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut id = Id::default();
    if let Ok(file) = fs::openat(folder, name, flags, Mode::empty()) {
        let _ = pread(&file, &mut id, 0);
    }
    id
}
