//! What is found when the folder of the file store, or a file in it, is opened.

use std::fs::File;
use std::io::{self, Read};

/// Why a folder is not used.
pub(crate) enum NotOpened {
    Link,
    /// Others can enter it; the text says how to change that.
    Shared(&'static str),
    OnNetwork,
    NotExamined(io::Error),
    Failed(io::Error),
}

/// What there is under the name of a file.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    Bytes(Vec<u8>),
    /// Nothing that this library makes, and why: it is not read.
    Foreign(&'static str),
}

impl Found {
    pub(super) fn read(file: File, limit: usize) -> io::Result<Self> {
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Self::Bytes(bytes))
    }

    pub(crate) fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Nothing | Self::Foreign(_) => None,
        }
    }
}
