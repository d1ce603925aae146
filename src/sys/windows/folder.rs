//! Works in the folder of the file store. It is open meanwhile, so that nobody can put another in its place.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_DIRECTORY, ERROR_INVALID_FUNCTION, ERROR_LOCK_VIOLATION,
    ERROR_NOT_SUPPORTED, ERROR_SHARING_VIOLATION,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_GENERIC_READ, FILE_ID_INFO, FILE_READ_ATTRIBUTES, FILE_SHARE_READ, FILE_SHARE_WRITE,
    FileIdInfo, GetFileInformationByHandleEx, GetFinalPathNameByHandleW, LOCKFILE_EXCLUSIVE_LOCK,
    LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use super::acl;
use super::file::is_regular;
pub(crate) use crate::sys::found::{Found, NotOpened};

/// Where the folder is unless one is named: each a variable, and what is below it.
pub(crate) const PLACES: [(&str, &str); 2] =
    [("LOCALAPPDATA", ""), ("USERPROFILE", r"AppData\Local")];
/// How an absolute path begins.
pub(crate) const ABSOLUTE: &str = r"begins with a drive, such as C:\";

/// What the path of a file begins with that another host has.
const REMOTE: &str = r"\\?\UNC\";
/// In characters, with the NUL.
const LONGEST_PATH: usize = 32_768;

/// A folder cannot be locked: this file is, in its place.
const OWN_LOCK: &str = "folder.lock";
/// The high half of the offset of the byte that is locked: far behind the end, since what is locked cannot be read.
const LOCK_OFFSET_HIGH: u32 = 1 << 30;

/// How often a file that is in use is tried again: for a fifth of a second to replace it, else for a fiftieth.
const MOST_TRIES: u32 = 100;
const FEW_TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

/// A folder that only this user can enter.
pub(crate) struct Folder {
    path: PathBuf,
    /// An open handle without FILE_SHARE_DELETE: neither the folder nor those that it is in can be moved.
    _opened: File,
}

impl Folder {
    /// Makes it, and those that it is in.
    pub(crate) fn make(path: &Path) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match acl::make_folder(&wide(path)?) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// The folder, if there is one.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, NotOpened> {
        let mut options = options(FILE_GENERIC_READ);
        options.share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE);
        let opened = match options.open(path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(NotOpened::Failed(error)),
        };
        let data = opened.metadata().map_err(NotOpened::NotExamined)?;
        if is_link(&data) {
            return Err(NotOpened::Link);
        }
        if !data.is_dir() {
            return Err(NotOpened::Failed(io::Error::from_raw_os_error(ERROR_DIRECTORY as i32)));
        }
        if acl::flaw(&opened).map_err(NotOpened::NotExamined)?.is_some() {
            return Err(NotOpened::Shared(
                "remove their permissions (icacls), or give the path of a folder that does not exist yet",
            ));
        }
        // The path that was named may lead through a link, and elsewhere by now.
        let path = final_path(&opened).map_err(NotOpened::NotExamined)?;
        if path.as_os_str().to_string_lossy().starts_with(REMOTE) {
            return Err(NotOpened::OnNetwork);
        }
        Ok(Some(Self { path, _opened: opened }))
    }

    /// Of what is in the file of this name, the first `limit` bytes.
    pub(crate) fn read(&self, name: &str, limit: usize) -> io::Result<Found> {
        let open = || options(FILE_GENERIC_READ).open(self.path.join(name));
        let file = match patiently(FEW_TRIES, open) {
            Ok(file) => file,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::NotFound => Ok(Found::Nothing),
                    ErrorKind::PermissionDenied => {
                        Ok(Found::Foreign("may not be read by this user"))
                    }
                    _ => Err(error),
                };
            }
        };
        match flaw(&file, &file.metadata()?)? {
            Some(why) => Ok(Found::Foreign(why)),
            None => Found::read(file, limit),
        }
    }

    /// A new file, which this user alone may use.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        acl::make_file(&wide(&self.path.join(name))?)
    }

    /// In the place of another of that name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path.join(from), self.path.join(to));
        patiently(MOST_TRIES, || fs::rename(&from, &to))
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        patiently(FEW_TRIES, || fs::remove_file(self.path.join(name)))
    }

    /// Of all that is in it, as far as they are texts.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = String>> {
        let entries = self.path.read_dir()?.map_while(Result::ok);
        Ok(entries.filter_map(|entry| entry.file_name().into_string().ok()))
    }

    /// When a regular file was changed.
    pub(crate) fn changed(&self, name: &str) -> Option<SystemTime> {
        let data = fs::symlink_metadata(self.path.join(name)).ok()?;
        if data.is_file() && !is_link(&data) { data.modified().ok() } else { None }
    }

    /// A file to lock, which is made if `may_make`.
    pub(crate) fn open_lock(&self, name: &str, may_make: bool) -> io::Result<LockFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(may_make).truncate(false);
        options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
        let file = patiently(FEW_TRIES, || options.open(self.path.join(name)))?;
        if is_link(&file.metadata()?) {
            return Err(io::Error::other("it is a link"));
        }
        Ok(LockFile(file))
    }

    /// What stands for the folder itself, to lock.
    pub(crate) fn own_lock(&self) -> io::Result<LockFile> {
        self.open_lock(OWN_LOCK, true)
    }

    /// What is written at the beginning of a lock file, whoever holds the lock.
    pub(crate) fn read_lock(&self, name: &str, bytes: &mut [u8]) {
        if let Ok(file) = options(FILE_GENERIC_READ).open(self.path.join(name)) {
            let _ = file.seek_read(bytes, 0);
        }
    }
}

/// A file that is there to be locked.
pub(crate) struct LockFile(File);

impl LockFile {
    /// Whether it is ours now; it is not while another has it.
    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
        let handle = self.0.as_raw_handle();
        // SAFETY: the handle is open, and waits for nothing.
        if unsafe { LockFileEx(handle, flags, 0, 1, 0, &mut locked_byte()) } != 0 {
            return Ok(true);
        }
        let error = io::Error::last_os_error();
        let is_anothers = error.raw_os_error() == Some(ERROR_LOCK_VIOLATION as i32);
        if is_anothers { Ok(false) } else { Err(error) }
    }

    pub(crate) fn unlock(&self) {
        // SAFETY: the handle is open.
        unsafe { UnlockFileEx(self.0.as_raw_handle(), 0, 1, 0, &mut locked_byte()) };
    }

    /// Whether the file of this name is this one.
    pub(crate) fn is(&self, folder: &Folder, name: &str) -> io::Result<bool> {
        match options(FILE_READ_ATTRIBUTES).open(folder.path.join(name)) {
            Ok(named) => Ok(id(&named)? == id(&self.0)?),
            Err(error) => match error.kind() {
                // A removed file keeps its name, and cannot be opened, until its last handle is closed.
                ErrorKind::NotFound | ErrorKind::PermissionDenied => Ok(false),
                _ => Err(error),
            },
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        let _ = self.0.seek_write(bytes, 0);
    }
}

fn locked_byte() -> OVERLAPPED {
    let mut place = OVERLAPPED::default();
    place.Anonymous.Anonymous.OffsetHigh = LOCK_OFFSET_HIGH;
    place
}

/// Whether it is for want of locks in the file system that something could not be locked.
pub(crate) fn has_no_locks(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    [ERROR_NOT_SUPPORTED, ERROR_INVALID_FUNCTION].iter().any(|&none| number == Some(none as i32))
}

/// For what is there, be it a file or a folder, and for a link itself.
fn options(access: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.access_mode(access);
    options.custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT);
    options
}

/// Why a file is none of ours.
fn flaw(file: &File, data: &Metadata) -> io::Result<Option<&'static str>> {
    if is_link(data) {
        return Ok(Some("is a link"));
    }
    if data.is_dir() {
        return Ok(Some("is a folder"));
    }
    if !is_regular(file, data) {
        return Ok(Some("is not a regular file"));
    }
    acl::flaw(file)
}

/// Also a junction, and what else leads elsewhere.
fn is_link(data: &Metadata) -> bool {
    data.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0
}

/// Which file it is, on which disk.
fn id(file: &File) -> io::Result<(u64, [u8; 16])> {
    let mut id = FILE_ID_INFO::default();
    let (start, size) = ((&raw mut id).cast(), size_of::<FILE_ID_INFO>() as u32);
    // SAFETY: the handle is open, and so many bytes are valid for a write.
    let is_told =
        unsafe { GetFileInformationByHandleEx(file.as_raw_handle(), FileIdInfo, start, size) };
    if is_told == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((id.VolumeSerialNumber, id.FileId.Identifier))
}

/// Tries for a while what fails while another has a file open: one that scans it, or, on a file system without the
/// semantics of POSIX, one that reads what is replaced. A file that was removed may also not be opened until then.
fn patiently<T>(tries: u32, act: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut left = tries;
    loop {
        match act() {
            Err(error) if is_in_use(&error) && left > 0 => {
                left -= 1;
                thread::sleep(BETWEEN_TRIES);
            }
            result => return result,
        }
    }
}

fn is_in_use(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    [ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION].iter().any(|&used| number == Some(used as i32))
}

/// The path without links, as Windows has it for an open folder; it may have more than 260 characters.
fn final_path(opened: &File) -> io::Result<PathBuf> {
    let mut room = vec![0_u16; LONGEST_PATH];
    let (start, size) = (room.as_mut_ptr(), LONGEST_PATH as u32);
    // SAFETY: the handle is open, and there is room for so many characters.
    let length = unsafe { GetFinalPathNameByHandleW(opened.as_raw_handle(), start, size, 0) };
    match length as usize {
        0 => Err(io::Error::last_os_error()),
        length => Ok(OsString::from_wide(&room[..length.min(LONGEST_PATH)]).into()),
    }
}

/// An absolute path in UTF-16, which ends in NUL; the prefix lets it have more than 260 characters.
fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let path: Vec<u16> = std::path::absolute(path)?.as_os_str().encode_wide().collect();
    let slashes: Vec<u16> = r"\\".encode_utf16().collect();
    let prefix = if path.starts_with(&slashes) { "" } else { r"\\?\" };
    Ok(prefix.encode_utf16().chain(path).chain([0]).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    /// Lets others use a file or a folder.
    pub(crate) fn share(path: &Path) {
        acl::tests::share(&wide(path).unwrap()).unwrap();
    }

    pub(crate) fn make_for_owner_alone(path: &Path, bytes: &[u8]) {
        let _ = fs::remove_file(path);
        acl::make_file(&wide(path).unwrap()).unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn is_for_owner_alone(path: &Path) -> bool {
        acl::flaw(&options(FILE_GENERIC_READ).open(path).unwrap()).unwrap().is_none()
    }
}
