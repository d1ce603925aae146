//! Removes what nobody uses any more from the folder of the file store.

use std::time::{Duration, SystemTime};

use super::lock::{self, Lock};
use super::turn;
use crate::random;
use crate::store::seal::{LONGEST, MAGIC};
use crate::sys::folder::{Folder, Found};
use crate::token::LONGEST_LIFETIME;

/// No token lives longer, and no request takes an hour.
const LONGEST_USE: Duration = LONGEST_LIFETIME.saturating_add(Duration::from_secs(3600));
/// How many names are read, and how many of their files are looked at, in one go.
const MOST_NAMES: usize = 10_000;
const MOST_FILES: usize = 200;

/// The digits of SHA-256, which names are made of.
const NAME_DIGITS: usize = 64;
const ID_DIGITS: usize = 32;

/// What a file of ours is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Its name is like that of many files that others name by their hash.
    Token,
    /// A back-off, a probe, or a draft of something.
    Other,
    Lock,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let (stem, ending) = name.split_once('.').map_or((name, None), |(s, e)| (s, Some(e)));
        let is_ours = are_digits(stem, NAME_DIGITS);
        match ending.filter(|_| is_ours) {
            None => is_ours.then_some(Self::Token),
            Some("backoff" | "probe") => Some(Self::Other),
            Some(ending) if turn::ENDINGS.contains(&ending) => Some(Self::Lock),
            Some(ending) => is_draft(ending).then_some(Self::Other),
        }
    }
}

fn is_draft(ending: &str) -> bool {
    let parts: Vec<_> = ending.split('.').collect();
    matches!(parts[..], ["token" | "backoff" | "probe", id, "new"] if are_digits(id, ID_DIGITS))
}

fn are_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Files of ours that are too old to be of use; of a large folder some of those that the system names first.
pub(super) fn find(folder: &Folder) -> Vec<String> {
    let Ok(names) = folder.names() else { return Vec::new() };
    let mut names: Vec<_> =
        names.take(MOST_NAMES).filter(|name| Kind::of(name).is_some()).collect();
    let first = (names.len() as f64 * random::fraction()) as usize;
    names.rotate_left(first);
    names.truncate(MOST_FILES);
    let now = SystemTime::now();
    names.retain(|name| is_old(folder, name, now));
    names
}

fn is_old(folder: &Folder, name: &str, now: SystemTime) -> bool {
    let age = folder.changed(name).and_then(|changed| now.duration_since(changed).ok());
    age.is_some_and(|age| age > LONGEST_USE)
}

/// Removes those that are still old. Nobody can renew one meanwhile, since the folder is locked.
pub(super) fn remove(folder: &Folder, _locked: &Lock, names: &[String]) {
    let now = SystemTime::now();
    for name in names.iter().filter(|name| is_old(folder, name, now)) {
        match Kind::of(name) {
            Some(Kind::Token) if is_sealed(folder, name) => unlink(folder, name),
            Some(Kind::Other) => unlink(folder, name),
            Some(Kind::Lock) => remove_lock(folder, name),
            Some(Kind::Token) | None => {}
        }
    }
}

fn is_sealed(folder: &Folder, name: &str) -> bool {
    let blob = folder.read(name, LONGEST).ok().and_then(Found::bytes);
    blob.is_some_and(|blob| blob.starts_with(MAGIC))
}

/// Removes a lock file unless somebody holds its lock. Who opened it before locks it too late, and sees that
/// it is gone.
pub(super) fn remove_lock(folder: &Folder, name: &str) {
    if let Ok(Some(_lock)) = lock::try_existing(folder, name) {
        unlink(folder, name);
    }
}

fn unlink(folder: &Folder, name: &str) {
    let _ = folder.remove(name);
}
