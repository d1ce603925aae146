//! Tells whether files have changed since they were read.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::sys::file::marks;

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

/// Made of what a change changes. What is not there has a stamp too.
fn stamp(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    if let Ok(data) = fs::metadata(path) {
        data.len().hash(&mut hasher);
        marks(&data).hash(&mut hasher);
    }
    hasher.finish()
}
