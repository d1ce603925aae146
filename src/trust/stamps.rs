//! Tells whether files have changed since they were read.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Of files, of folders and of all that is in these, in whatever order that is told.
#[derive(PartialEq)]
pub(super) struct Stamps(u64);

impl Stamps {
    pub(super) fn of(paths: impl Iterator<Item = PathBuf>) -> Self {
        let mut sum = 0_u64;
        for path in paths {
            sum = sum.wrapping_add(stamp(&path));
            for entry in path.read_dir().into_iter().flatten().flatten() {
                sum = sum.wrapping_add(stamp(&entry.path()));
            }
        }
        Self(sum)
    }
}

/// Made of what a change changes: which file it is, its size, when its content was changed last, and when
/// anything was. What is not there has a stamp too.
fn stamp(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    if let Ok(data) = fs::metadata(path) {
        for number in [data.dev(), data.ino(), data.size()] {
            hasher.write_u64(number);
        }
        for time in [data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec()] {
            hasher.write_i64(time);
        }
    }
    hasher.finish()
}
