//! Says where something went wrong in the file store.

use std::fmt::Display;
use std::io;
use std::path::Path;

use crate::store::StoreError;
use crate::sys::folder::has_no_locks;
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

    pub(super) fn failed(&self, what: &str, error: io::Error) -> StoreError {
        self.error(format_args!("{what} ({})", text::system(&error)))
    }

    pub(super) fn not_locked(&self, error: io::Error) -> StoreError {
        let is_for_want_of_locks = has_no_locks(&error);
        let StoreError(what) = self.failed("cannot be locked", error);
        if is_for_want_of_locks {
            return StoreError(format!("{what}; give the path of a folder on a local disk"));
        }
        StoreError(what)
    }
}
