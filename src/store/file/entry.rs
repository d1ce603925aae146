//! Reads the files of the file store, and writes new ones all at once.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use ring::rand::{SecureRandom, SystemRandom};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use crate::store::seal::LONGEST;
use crate::text::hex;

/// What a file of the folder is.
#[derive(Debug)]
pub(super) enum Entry {
    Missing,
    /// What we may have written, and one byte more than that can be at most.
    Blob(Vec<u8>),
    /// Nothing that this library makes, and why: it is not read. A rename puts a file of ours in its place.
    Alien(&'static str),
}

impl Entry {
    pub(super) fn blob(self) -> Option<Vec<u8>> {
        match self {
            Self::Blob(blob) => Some(blob),
            Self::Missing | Self::Alien(_) => None,
        }
    }
}

pub(super) fn read(folder: &OwnedFd, name: &str) -> io::Result<Entry> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match retry_on_intr(|| fs::openat(folder, name, flags, Mode::empty())) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(Entry::Missing),
        Err(Errno::LOOP | Errno::MLINK) => return Ok(Entry::Alien("is a link")),
        Err(Errno::ACCESS) => return Ok(Entry::Alien("may not be read by this user")),
        // A socket.
        Err(Errno::NXIO) => return Ok(Entry::Alien("is not a regular file")),
        Err(error) => return Err(error.into()),
    };
    if let Some(why) = flaw(&fs::fstat(&file)?) {
        return Ok(Entry::Alien(why));
    }
    let mut blob = Vec::new();
    File::from(file).take(LONGEST as u64 + 1).read_to_end(&mut blob)?;
    Ok(Entry::Blob(blob))
}

/// Why a file is none of ours.
fn flaw(stat: &Stat) -> Option<&'static str> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Some("is a folder"),
        _ => return Some("is not a regular file"),
    }
    if stat.st_uid != geteuid().as_raw() {
        return Some("belongs to another user");
    }
    (stat.st_mode & 0o077 != 0).then_some("can be used by other users")
}

/// A file that no reader looks for yet. It is removed unless it gets its name.
pub(super) struct Draft<'a> {
    folder: &'a OwnedFd,
    name: Option<String>,
}

impl<'a> Draft<'a> {
    /// On the disk when this returns. Its name is its own: nobody else writes into it, or removes it.
    pub(super) fn write(folder: &'a OwnedFd, stem: &str, blob: &[u8]) -> io::Result<Self> {
        let name = format!("{stem}.{}.new", hex(&random_id()?));
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(retry_on_intr(|| fs::openat(folder, &*name, flags, mode))?);
        let draft = Self { folder, name: Some(name) };
        file.write_all(blob)?;
        file.sync_all()?;
        Ok(draft)
    }

    pub(super) fn rename(mut self, name: &str) -> Result<(), Errno> {
        let from = self.name.as_deref().ok_or(Errno::NOENT)?;
        fs::renameat(self.folder, from, self.folder, name)?;
        self.name = None;
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = fs::unlinkat(self.folder, &**name, AtFlags::empty());
        }
    }
}

/// What nobody else draws.
pub(super) fn random_id() -> io::Result<[u8; 16]> {
    let mut id = [0; 16];
    let drawn = SystemRandom::new().fill(&mut id);
    drawn.map_err(|_| io::Error::other("there are no random numbers"))?;
    Ok(id)
}
