//! Removes what nobody uses any more from the folder of the file store.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

use rustix::fs::{self, AtFlags, Dir, FileType, Stat};
use rustix::process::geteuid;

use super::entry;
use super::lock::{self, Lock};
use super::turn;
use crate::random;
use crate::store::seal::MAGIC;
use crate::token::LONGEST_LIFETIME;
use crate::unix_time::since_1970;

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
pub(super) fn find(folder: &OwnedFd) -> Vec<String> {
    let Ok(entries) = Dir::read_from(folder) else { return Vec::new() };
    let entries = entries.map_while(Result::ok).take(MOST_NAMES);
    let mut names: Vec<_> = entries.filter_map(|entry| ours(entry.file_name())).collect();
    let first = (names.len() as f64 * random::fraction()) as usize;
    names.rotate_left(first);
    names.truncate(MOST_FILES);
    let now = SystemTime::now();
    names.retain(|name| is_old(folder, name, now));
    names
}

fn ours(name: &CStr) -> Option<String> {
    let name = name.to_str().ok()?;
    Kind::of(name).map(|_| name.to_owned())
}

fn is_old(folder: &OwnedFd, name: &str, now: SystemTime) -> bool {
    let stat = fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == geteuid().as_raw()
            && since_1970(now).saturating_sub(changed(&stat)) > LONGEST_USE
    })
}

/// Since 1970.
fn changed(stat: &Stat) -> Duration {
    Duration::from_secs(u64::try_from(stat.st_mtime).unwrap_or(0))
}

/// Removes those that are still old. Nobody can renew one meanwhile, since the folder is locked.
pub(super) fn remove(folder: &OwnedFd, _locked: &Lock, names: &[String]) {
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

fn is_sealed(folder: &OwnedFd, name: &str) -> bool {
    let blob = entry::read(folder, name).ok().and_then(entry::Entry::blob);
    blob.is_some_and(|blob| blob.starts_with(MAGIC))
}

/// Removes a lock file unless somebody holds its lock. Who opened it before locks it too late, and sees that
/// it is gone.
pub(super) fn remove_lock(folder: &OwnedFd, name: &str) {
    if let Ok(Some(_lock)) = lock::try_existing(folder, name) {
        unlink(folder, name);
    }
}

fn unlink(folder: &OwnedFd, name: &str) {
    let _ = fs::unlinkat(folder, name, AtFlags::empty());
}
