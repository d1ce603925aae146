//! Finds the folder of the file store, and refuses one that others can enter.

use std::fs::DirBuilder;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use super::place::Place;
use crate::env::Common;
use crate::error::Error;
use crate::store::StoreError;
use crate::text::{self, printable};

const FOLDER: &str = "clazar-auth";

pub(super) const OPEN: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// File systems whose locks and renames other hosts may see otherwise: NFS, SMB 1 to 3, AFS, Ceph, 9P,
/// Lustre, what FUSE brings, the kernel's own AFS, GPFS, OCFS2 and GFS2 (linux/magic.h and their own headers).
#[cfg(target_os = "linux")]
const NETWORK: [u32; 13] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x5346_414f,
    0x00c3_6400,
    0x0102_1997,
    0x0bd0_0bd0,
    0x6573_5546,
    0x6b41_4653,
    0x4750_4653,
    0x7461_636f,
    0x0116_1970,
];

/// `$XDG_RUNTIME_DIR` first, else `$XDG_CACHE_HOME`, else `~/.cache`: in there a folder of ours.
pub(in crate::store) fn default_folder(variables: Common) -> Result<PathBuf, Error> {
    let mut is_relative = None;
    for name in ["XDG_RUNTIME_DIR", "XDG_CACHE_HOME"] {
        match variables.read(name)? {
            Some(base) if Path::new(&base).is_absolute() => {
                return Ok(Path::new(&base).join(FOLDER));
            }
            // "consider the path invalid and ignore it" (XDG Base Directory Specification).
            Some(_) => is_relative = Some(name),
            None => {}
        }
    }
    let why = match variables.read("HOME")? {
        Some(home) if Path::new(&home).is_absolute() => {
            return Ok(Path::new(&home).join(".cache").join(FOLDER));
        }
        Some(_) => "HOME is not an absolute path".to_owned(),
        None => match is_relative {
            Some(name) => format!("{name} is not an absolute path and HOME is unset"),
            None => variables.why_unset("XDG_RUNTIME_DIR, XDG_CACHE_HOME and HOME"),
        },
    };
    Err(Error::invalid(format!(
        "there is no place for the file store, since {why}; give the path of a folder"
    )))
}

/// A relative path would be another folder after each `chdir`.
pub(super) fn check_absolute(folder: &Path) -> Result<(), Error> {
    if folder.is_absolute() {
        return Ok(());
    }
    let shown = printable(&folder.to_string_lossy(), text::LONGEST);
    Err(Error::invalid(format!(
        "the path {shown} of the store's folder is not absolute; give one that begins with / (~ is the home \
         folder to a shell, and not here)"
    )))
}

/// The folder, which is made if there is none.
pub(super) fn make(place: &Place<'_>) -> Result<OwnedFd, StoreError> {
    if let Some(folder) = open(place)? {
        return Ok(folder);
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(place.folder);
    made.map_err(|error| place.failed("has no folder", error))?;
    open(place)?.ok_or_else(|| place.error("has no folder"))
}

/// The folder, if there is one that only this user can enter.
pub(super) fn open(place: &Place<'_>) -> Result<Option<OwnedFd>, StoreError> {
    let folder = match retry_on_intr(|| fs::open(place.folder, OPEN, Mode::empty())) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::NOTDIR | Errno::LOOP) if place.folder.is_symlink() => {
            return Err(place.error("is a link; name the folder that it leads to, or one in that"));
        }
        Err(error) => return Err(place.failed("has a folder that cannot be opened", error)),
    };
    let unseen = |error| place.failed("has a folder that cannot be looked at", error);
    let stat = fs::fstat(&folder).map_err(unseen)?;
    if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
        return Err(place.error("has a folder that other users can enter; set its mode to 0700"));
    }
    if is_on_network(&folder).map_err(unseen)? {
        return Err(place.error("is on a network file system; give the path of a local folder"));
    }
    Ok(Some(folder))
}

#[cfg(target_os = "linux")]
fn is_on_network(folder: &OwnedFd) -> Result<bool, Errno> {
    Ok(NETWORK.contains(&(fs::fstatfs(folder)?.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn is_on_network(_folder: &OwnedFd) -> Result<bool, Errno> {
    Ok(false)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    /// Its number is not in linux/magic.h.
    #[test]
    fn lustre_is_a_network_file_system() {
        assert!(super::NETWORK.contains(&0x0BD0_0BD0));
    }
}
