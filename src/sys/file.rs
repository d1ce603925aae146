//! Opens files that are named from outside, without waiting for anybody, and reads them up to a limit.

use std::os::fd::AsFd;
use std::path::Path;
use std::{fmt, io};

use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open};
use rustix::io::{Errno, read, retry_on_intr};
use zeroize::Zeroizing;

use crate::text::system;

/// What lasts as long as the file stays as it is; all else may pass.
const LASTING: [Errno; 10] = [
    Errno::NOENT,
    Errno::ACCESS,
    Errno::PERM,
    Errno::NOTDIR,
    Errno::ISDIR,
    Errno::LOOP,
    Errno::NAMETOOLONG,
    Errno::INVAL,
    Errno::NXIO,
    Errno::NODEV,
];
const MEBIBYTE: usize = 1024 * 1024;
/// How much is made room for where a file does not tell its size.
const SMALLEST_GROWTH: usize = 4096;

/// Why a file was not read: the end of a sentence that starts with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileError {
    NotOpened(Errno),
    NotRead(Errno),
    Folder,
    NotRegular,
    /// More bytes than this.
    Larger(usize),
}

impl FileError {
    /// Whether the same file may be read later with nothing changed about it.
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::NotOpened(errno) | Self::NotRead(errno) if !LASTING.contains(&errno))
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotOpened(errno) => write!(f, "cannot be opened ({})", system(&errno.into())),
            Self::NotRead(errno) => write!(f, "cannot be read ({})", system(&errno.into())),
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
    // Waits for no writer of a pipe, and takes no terminal as its own.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = retry_on_intr(|| open(path, flags, Mode::empty()));
    let file = opened.map_err(FileError::NotOpened)?;
    let stat = fstat(&file).map_err(FileError::NotRead)?;
    read_regular(&file, &stat, limit)
}

/// The bytes of an open file, which must be a regular one.
pub(crate) fn read_regular(
    file: impl AsFd,
    stat: &Stat,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Err(FileError::Folder),
        _ => return Err(FileError::NotRegular),
    }
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size > limit {
        return Err(FileError::Larger(limit));
    }
    // A byte more shows that the end was reached.
    let mut bytes = room(size + 1)?;
    loop {
        if bytes.len() == bytes.capacity() {
            bytes = with_more_room(&bytes, limit)?;
        }
        match retry_on_intr(|| read(&file, spare_capacity(&mut bytes))) {
            Ok(0) => return Ok(bytes),
            Ok(_) if bytes.len() > limit => return Err(FileError::Larger(limit)),
            Ok(_) => {}
            Err(errno) => return Err(FileError::NotRead(errno)),
        }
    }
}

/// A larger copy; the caller's is wiped when it is dropped.
fn with_more_room(bytes: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut larger = room((2 * bytes.len()).max(SMALLEST_GROWTH).min(limit + 1))?;
    larger.extend_from_slice(bytes);
    Ok(larger)
}

fn room(size: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut room = Zeroizing::new(Vec::new());
    room.try_reserve_exact(size).map_err(|_| FileError::NotRead(Errno::NOMEM))?;
    Ok(room)
}

pub(crate) fn not_opened(error: io::Error) -> FileError {
    FileError::NotOpened(Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::PathBuf;

    use rustix::io::Errno;

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
            assert!(bytes.is_err() || bytes.unwrap().len() == length);
        }
        fs::remove_file(&path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_without_a_size_is_read_to_its_end() {
        let path = PathBuf::from("/proc/self/maps");
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        let bytes = read_file(&path, 1 << 20).unwrap();
        assert!(bytes.len() > 4096 && bytes.ends_with(b"\n"), "{}", bytes.len());
        assert_eq!(read_file(&path, 4096).unwrap_err(), FileError::Larger(4096));
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        assert_eq!(read_file("/dev/zero".as_ref(), 100).unwrap_err(), FileError::NotRegular);
        assert_eq!(read_file("/".as_ref(), 100).unwrap_err(), FileError::Folder);
        let sparse = path("sparse");
        File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read_file(&sparse, 100).unwrap_err(), FileError::Larger(100));
        fs::remove_file(&sparse).unwrap();
    }

    #[test]
    fn an_error_has_the_words_of_the_system() {
        let error = read_file("/nonexistent".as_ref(), 100).unwrap_err();
        assert_eq!(error, FileError::NotOpened(Errno::NOENT));
        assert_eq!(error.to_string(), "cannot be opened (No such file or directory)");
    }

    #[test]
    fn want_of_something_may_pass_and_a_missing_file_does_not() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO] {
            assert!(FileError::NotOpened(errno).is_transient(), "{errno}");
            assert!(FileError::NotRead(errno).is_transient(), "{errno}");
        }
        for errno in [Errno::NOENT, Errno::ACCESS, Errno::NOTDIR, Errno::LOOP] {
            assert!(!FileError::NotOpened(errno).is_transient(), "{errno}");
        }
        assert!(!FileError::NotRegular.is_transient());
    }
}
