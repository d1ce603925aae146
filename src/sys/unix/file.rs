//! Opens files that are named from outside.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use libc::{
    EACCES, EINVAL, EISDIR, ELOOP, ENAMETOOLONG, ENODEV, ENOENT, ENOMEM, ENOTDIR, ENXIO, EPERM,
};

/// What lasts as long as the file stays as it is; all else may pass.
pub(in crate::sys) const LASTING: [i32; 10] =
    [ENOENT, EACCES, EPERM, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EINVAL, ENXIO, ENODEV];
pub(in crate::sys) const NO_MEMORY: i32 = ENOMEM;
pub(in crate::sys) const INVALID: i32 = EINVAL;

/// Waits for no writer of a pipe, and takes no terminal as its own.
pub(in crate::sys) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

pub(in crate::sys) fn is_regular(_file: &File, data: &Metadata) -> bool {
    data.is_file()
}

/// What a change to a file changes, besides its size: which file it is, when its content was changed last, and when
/// anything was.
pub(crate) fn marks(data: &Metadata) -> [u64; 6] {
    let times = [data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec()];
    let [modified, modified_ns, changed, changed_ns] = times.map(i64::cast_unsigned);
    [data.dev(), data.ino(), modified, modified_ns, changed, changed_ns]
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use libc::{EIO, EMFILE, ENFILE};

    use super::*;
    use crate::sys::file::{FileError, read_file};

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_without_a_size_is_read_to_its_end() {
        let path = PathBuf::from("/proc/self/maps");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
        let bytes = read_file(&path, 1 << 20).unwrap();
        assert!(bytes.len() > 4096 && bytes.ends_with(b"\n"), "{}", bytes.len());
        assert_eq!(read_file(&path, 4096).unwrap_err(), FileError::Larger(4096));
    }

    #[test]
    fn a_large_file_is_refused_at_once() {
        let sparse =
            std::env::temp_dir().join(format!("clazar-auth-sparse-{}", std::process::id()));
        File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read_file(&sparse, 100).unwrap_err(), FileError::Larger(100));
        std::fs::remove_file(&sparse).unwrap();
    }

    #[test]
    fn a_device_is_refused_at_once() {
        assert_eq!(read_file("/dev/zero".as_ref(), 100).unwrap_err(), FileError::NotRegular);
    }

    #[test]
    fn an_error_has_the_words_of_the_system() {
        let error = read_file("/nonexistent".as_ref(), 100).unwrap_err();
        assert_eq!(error, FileError::NotOpened(ENOENT));
        assert_eq!(error.to_string(), "cannot be opened (No such file or directory)");
    }

    #[test]
    fn want_of_something_may_pass_and_a_missing_file_does_not() {
        for number in [EMFILE, ENFILE, ENOMEM, EIO] {
            assert!(FileError::NotOpened(number).is_transient(), "{number}");
            assert!(FileError::NotRead(number).is_transient(), "{number}");
        }
        for number in [ENOENT, EACCES, ENOTDIR, ELOOP] {
            assert!(!FileError::NotOpened(number).is_transient(), "{number}");
        }
    }
}
