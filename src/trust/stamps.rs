//! Whether files have changed since they were read.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What a change changes: device and inode, size, times of the last change of content and of anything.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

/// Of files, of folders and of all that is in these; None for what is not there.
#[derive(PartialEq)]
pub(super) struct Stamps(BTreeMap<PathBuf, Option<Stamp>>);

impl Stamps {
    pub(super) fn of(paths: impl Iterator<Item = PathBuf>) -> Self {
        let mut stamps = BTreeMap::new();
        for path in paths {
            for entry in path.read_dir().into_iter().flatten().flatten() {
                stamps.insert(entry.path(), stamp(&entry.path()));
            }
            let stamp = stamp(&path);
            stamps.insert(path, stamp);
        }
        Self(stamps)
    }
}

fn stamp(path: &PathBuf) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    let content = (data.mtime(), data.mtime_nsec());
    Some((data.dev(), data.ino(), data.size(), content, (data.ctime(), data.ctime_nsec())))
}
