//! The files of a program.

use std::fs;
use std::path::{Path, PathBuf};

/// All Rust files in a folder and in those below it.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_source = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "rs");
    let nested = folders.iter().flat_map(|folder| sources(folder));
    files.into_iter().filter(is_source).chain(nested).collect()
}
