//! Finds the folder of the file store, and refuses one that others can enter.

use std::path::{Path, PathBuf};

use super::place::Place;
use crate::env::Common;
use crate::error::Error;
use crate::store::StoreError;
use crate::sys::folder::{ABSOLUTE, Folder, NotOpened, PLACES};
use crate::text::{self, printable};

const FOLDER: &str = "clazar-auth";

/// A folder of ours in the first of [`PLACES`] that is set.
pub(in crate::store) fn default_folder(variables: Common) -> Result<PathBuf, Error> {
    let mut relative = None;
    for (name, below) in PLACES {
        match variables.read(name)? {
            Some(base) if Path::new(&base).is_absolute() => {
                return Ok(Path::new(&base).join(below).join(FOLDER));
            }
            // "consider the path invalid and ignore it" (XDG Base Directory Specification).
            Some(_) => relative = Some(name),
            None => {}
        }
    }
    let why = match relative {
        Some(name) => format!("{name} is not an absolute path"),
        None => variables.why_unset(&names()),
    };
    Err(Error::invalid(format!(
        "there is no place for the file store, since {why}; give the path of a folder"
    )))
}

fn names() -> String {
    let names = PLACES.map(|(name, _)| name);
    let [first @ .., last] = &names;
    format!("{} and {last}", first.join(", "))
}

/// A relative path would be another folder after each `chdir`.
pub(super) fn check_absolute(folder: &Path) -> Result<(), Error> {
    if folder.is_absolute() {
        return Ok(());
    }
    let shown = printable(&folder.to_string_lossy(), text::LONGEST);
    Err(Error::invalid(format!(
        "the path {shown} of the store's folder is not absolute; give one that {ABSOLUTE}"
    )))
}

/// The folder, which is made if there is none.
pub(super) fn make(place: &Place<'_>) -> Result<Folder, StoreError> {
    if let Some(folder) = open(place)? {
        return Ok(folder);
    }
    Folder::make(place.folder).map_err(|error| place.failed("has no folder", error))?;
    open(place)?.ok_or_else(|| place.error("has no folder"))
}

/// The folder, if there is one that only this user can enter.
pub(super) fn open(place: &Place<'_>) -> Result<Option<Folder>, StoreError> {
    Folder::open(place.folder).map_err(|why| match why {
        NotOpened::Link => {
            place.error("is a link; name the folder that it leads to, or one in that")
        }
        NotOpened::Shared(advice) => {
            place.error(format_args!("has a folder that other users can enter; {advice}"))
        }
        NotOpened::OnNetwork => {
            place.error("is on a network file system; give the path of a local folder")
        }
        NotOpened::NotExamined(error) => {
            place.failed("has a folder that cannot be looked at", error)
        }
        NotOpened::Failed(error) => place.failed("has a folder that cannot be opened", error),
    })
}
