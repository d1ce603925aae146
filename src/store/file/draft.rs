//! Writes new files of the file store all at once.

use std::io::{self, Write};

use ring::rand::{SecureRandom, SystemRandom};

use crate::sys::folder::Folder;
use crate::text::hex;

/// A file that no reader looks for yet. It is removed unless it gets its name.
pub(super) struct Draft<'a> {
    folder: &'a Folder,
    name: String,
    has_its_name: bool,
}

impl<'a> Draft<'a> {
    /// On the disk when this returns. Its name is its own: nobody else writes into it, or removes it.
    pub(super) fn write(folder: &'a Folder, stem: &str, blob: &[u8]) -> io::Result<Self> {
        let name = format!("{stem}.{}.new", hex(&random_id()?));
        let mut file = folder.create(&name)?;
        let draft = Self { folder, name, has_its_name: false };
        file.write_all(blob)?;
        file.sync_all()?;
        Ok(draft)
    }

    pub(super) fn rename(mut self, name: &str) -> io::Result<()> {
        self.folder.rename(&self.name, name)?;
        self.has_its_name = true;
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.has_its_name {
            let _ = self.folder.remove(&self.name);
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
