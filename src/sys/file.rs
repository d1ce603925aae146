//! Opens files that are named from outside, without waiting for anybody, and reads them up to a limit.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use zeroize::Zeroizing;

pub(crate) use super::system::file::marks;
use super::system::file::{INVALID, LASTING, NO_MEMORY, is_regular, open};
use crate::text::system;

const MEBIBYTE: usize = 1024 * 1024;
/// How much is made room for where a file does not tell its size.
const SMALLEST_GROWTH: usize = 4096;

/// Why a file was not read: the end of a sentence that starts with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileError {
    /// With the system's number of the error.
    NotOpened(i32),
    NotRead(i32),
    Folder,
    NotRegular,
    /// More bytes than this.
    Larger(usize),
}

impl FileError {
    /// Whether the same file may be read later with nothing changed about it.
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::NotOpened(number) | Self::NotRead(number) if !LASTING.contains(&number))
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |number| system(&io::Error::from_raw_os_error(number));
        match *self {
            Self::NotOpened(number) => write!(f, "cannot be opened ({})", words(number)),
            Self::NotRead(number) => write!(f, "cannot be read ({})", words(number)),
            Self::Folder => f.write_str("is a folder"),
            Self::NotRegular => f.write_str("is not a regular file"),
            Self::Larger(limit) if limit < MEBIBYTE => {
                write!(f, "is larger than {} KiB", limit / 1024)
            }
            Self::Larger(limit) => write!(f, "is larger than {} MiB", limit / MEBIBYTE),
        }
    }
}

/// The bytes of the regular file at `path`, of which there are `limit` at most.
pub(crate) fn read_file(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut file = open(path).map_err(not_opened)?;
    let data = file.metadata().map_err(not_read)?;
    if data.is_dir() {
        return Err(FileError::Folder);
    }
    if !is_regular(&file, &data) {
        return Err(FileError::NotRegular);
    }
    let size = usize::try_from(data.len()).unwrap_or(usize::MAX);
    if size > limit {
        return Err(FileError::Larger(limit));
    }
    read_to_end(&mut file, size, limit)
}

fn read_to_end(
    file: &mut File,
    size: usize,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // A byte more shows that the end was reached.
    let mut bytes = room(size + 1)?;
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            bytes = with_more_room(&bytes, limit)?;
        }
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(not_read(error)),
        }
        if filled > limit {
            return Err(FileError::Larger(limit));
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// A larger copy; the caller's is wiped when it is dropped.
fn with_more_room(bytes: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut larger = room((2 * bytes.len()).max(SMALLEST_GROWTH).min(limit + 1))?;
    larger[..bytes.len()].copy_from_slice(bytes);
    Ok(larger)
}

/// So many zeros.
fn room(size: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut room = Zeroizing::new(Vec::new());
    room.try_reserve_exact(size).map_err(|_| FileError::NotRead(NO_MEMORY))?;
    room.resize(size, 0);
    Ok(room)
}

pub(crate) fn not_opened(error: io::Error) -> FileError {
    FileError::NotOpened(number(&error))
}

fn not_read(error: io::Error) -> FileError {
    FileError::NotRead(number(&error))
}

/// A path that has a NUL in it is refused by the standard library, without a number.
fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(INVALID)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::{FileError, read_file};

    /// A path of this test's own.
    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("clazar-auth-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_file_is_read_up_to_the_limit() {
        let path = path("limit");
        for (length, fits) in [(0, true), (1, true), (99, true), (100, true), (101, false)] {
            fs::write(&path, vec![b'x'; length]).unwrap();
            let bytes = read_file(&path, 100);
            assert_eq!(bytes.is_ok(), fits, "{length}");
            assert!(bytes.is_err() || *bytes.unwrap() == vec![b'x'; length]);
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_path_with_a_nul_stays_wrong() {
        let error = read_file("a\0b".as_ref(), 100).unwrap_err();
        assert!(
            !error.is_transient() && error.to_string().starts_with("cannot be opened ("),
            "{error}"
        );
    }

    #[test]
    fn a_folder_is_no_file() {
        assert_eq!(read_file(&std::env::temp_dir(), 100).unwrap_err(), FileError::Folder);
        assert!(!FileError::Folder.is_transient() && !FileError::NotRegular.is_transient());
    }
}
