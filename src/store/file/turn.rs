//! Decides which process makes a token request, also when the one whose turn it is has been stopped.

use std::io;

use super::draft::random_id;
use super::lock::{self, Lock};
use crate::store::session::Holder;
use crate::sys::folder::Folder;

/// What the names of lock files end in. A process that is stopped holds the first lock for as long as that
/// lasts; among those who have waited too long for it, the second makes one the next.
pub(super) const ENDINGS: [&str; 2] = ["lock", "lock2"];

/// Says in a lock file whose lock it is.
type Id = [u8; 16];

/// The lock that makes it our turn, or (`Err`) whose turn it is. It is taken over only `from` the holder that was
/// waited for.
pub(super) fn try_take(
    folder: &Folder,
    name: &str,
    from: Option<&Holder>,
) -> io::Result<Result<Lock, Holder>> {
    let files = ENDINGS.map(|ending| format!("{name}.{ending}"));
    let [first, second] = &files;
    let takes_over = || from.is_some_and(|from| *from == holder(folder, &files));
    let lock = match lock::try_file(folder, first)? {
        // Whoever has taken over from one that is dead by now goes before those who come new.
        Some(lock) => (is_free(folder, second)? || takes_over()).then_some(lock),
        None if takes_over() => lock::try_file(folder, second)?.filter(|_| {
            // Another may have come to hold either of them in between.
            let is_still = takes_over();
            if !is_still {
                let _ = folder.remove(second);
            }
            is_still
        }),
        None => None,
    };
    match lock {
        Some(lock) => {
            sign(&lock);
            Ok(Ok(lock))
        }
        None => Ok(Err(holder(folder, &files))),
    }
}

fn holder(folder: &Folder, files: &[String]) -> Holder {
    Holder(files.iter().flat_map(|file| id(folder, file)).collect())
}

/// Removes the file of a lock that is about to be released, and of that which was taken over from: nobody is to wait
/// for a stopped process once more. Who has opened it locks it too late, and opens the next one.
pub(super) fn end(folder: &Folder, name: &str, lock: &Lock) {
    let files = ENDINGS.map(|ending| format!("{name}.{ending}"));
    if let Some(at) = files.iter().position(|file| lock.is_on(folder, file).unwrap_or(false)) {
        for file in files.iter().take(at + 1) {
            let _ = folder.remove(file);
        }
    }
}

fn is_free(folder: &Folder, name: &str) -> io::Result<bool> {
    match lock::try_existing(folder, name) {
        Ok(lock) => Ok(lock.is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Writes an id into the lock file, once for each turn: whoever reads before or in the middle of that sees
/// the holder change once more than it did, and no more often. On a full disk all holders look alike, and
/// those who wait count them as one.
fn sign(lock: &Lock) {
    if let (Some(file), Ok(id)) = (lock.file(), random_id()) {
        file.write(&id);
    }
}

/// What the last one who had the lock has written; zeros before the first.
fn id(folder: &Folder, name: &str) -> Id {
    let mut id = Id::default();
    folder.read_lock(name, &mut id);
    id
}
