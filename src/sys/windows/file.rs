//! Opens files that are named from outside.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::os::windows::io::AsRawHandle;
use std::path::Path;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_PATHNAME, ERROR_CANT_RESOLVE_FILENAME, ERROR_DIRECTORY,
    ERROR_FILE_NOT_FOUND, ERROR_FILENAME_EXCED_RANGE, ERROR_INVALID_FUNCTION, ERROR_INVALID_NAME,
    ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, ERROR_PATH_NOT_FOUND,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_TYPE_DISK, GetFileType, SECURITY_IDENTIFICATION,
};

/// What lasts as long as the file stays as it is; all else may pass.
pub(in crate::sys) const LASTING: [i32; 10] = [
    ERROR_FILE_NOT_FOUND as i32,
    ERROR_PATH_NOT_FOUND as i32,
    ERROR_ACCESS_DENIED as i32,
    ERROR_BAD_PATHNAME as i32,
    ERROR_DIRECTORY as i32,
    ERROR_INVALID_NAME as i32,
    ERROR_FILENAME_EXCED_RANGE as i32,
    ERROR_CANT_RESOLVE_FILENAME as i32,
    // What devices say.
    ERROR_INVALID_FUNCTION as i32,
    ERROR_INVALID_PARAMETER as i32,
];
pub(in crate::sys) const NO_MEMORY: i32 = ERROR_NOT_ENOUGH_MEMORY as i32;
pub(in crate::sys) const INVALID: i32 = ERROR_INVALID_PARAMETER as i32;

/// Opens folders too, so that they can be told from what is missing. The server of a pipe of that name may identify
/// this user, and not act as one.
pub(in crate::sys) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(path)
}

/// The names of devices, such as NUL and CON, are in each folder.
pub(in crate::sys) fn is_regular(file: &File, data: &Metadata) -> bool {
    // SAFETY: the handle is open.
    data.is_file() && unsafe { GetFileType(file.as_raw_handle()) } == FILE_TYPE_DISK
}

/// What a change to a file changes, besides its size: when it was made, and when it was written to last.
pub(crate) fn marks(data: &Metadata) -> [u64; 2] {
    [data.creation_time(), data.last_write_time()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::file::{FileError, read_file};

    #[test]
    fn a_device_is_refused_at_once() {
        let error = read_file("NUL".as_ref(), 100).unwrap_err();
        assert!(!error.is_transient(), "{error}");
    }

    #[test]
    fn an_error_has_the_words_of_the_system() {
        let error = read_file(r"C:\nonexistent".as_ref(), 100).unwrap_err();
        assert_eq!(error, FileError::NotOpened(ERROR_FILE_NOT_FOUND as i32));
        assert!(error.to_string().starts_with("cannot be opened ("), "{error}");
        assert!(!error.is_transient() && FileError::NotRead(NO_MEMORY).is_transient());
    }
}
