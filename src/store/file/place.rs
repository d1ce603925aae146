//! Says where something went wrong in the file store.

use std::fmt::Display;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::store::StoreError;
use crate::text::{self, printable};

/// A file of the store.
pub(super) struct Place<'a> {
    pub(super) folder: &'a Path,
    pub(super) file: String,
}

impl Place<'_> {
    pub(super) fn location(&self) -> String {
        printable(&self.folder.join(&self.file).to_string_lossy(), text::LONGEST)
    }

    pub(super) fn error(&self, what: impl Display) -> StoreError {
        StoreError(format!("the token file {} {what}", self.location()))
    }

    pub(super) fn failed(&self, what: &str, error: impl Into<io::Error>) -> StoreError {
        self.error(format_args!("{what} ({})", text::system(&error.into())))
    }

    pub(super) fn not_locked(&self, error: Errno) -> StoreError {
        let failed = self.failed("cannot be locked", error);
        match error {
            // The file system has no locks.
            Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP => {
                StoreError(format!("{}; give the path of a folder on a local disk", failed.0))
            }
            _ => failed,
        }
    }
}
