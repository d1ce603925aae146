//! Works in the folder of the file store by its descriptor, so that nobody can put another in its place meanwhile.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{self, AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::{Errno, pread, pwrite, retry_on_intr};
use rustix::process::geteuid;

pub(crate) use crate::sys::found::{Found, NotOpened};

/// Where the folder is unless one is named: each a variable, and what is below it.
pub(crate) const PLACES: [(&str, &str); 3] =
    [("XDG_RUNTIME_DIR", ""), ("XDG_CACHE_HOME", ""), ("HOME", ".cache")];
/// How an absolute path begins.
pub(crate) const ABSOLUTE: &str = "begins with / (~ is the home folder to a shell, and not here)";

const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const OPEN_FOLDER: OFlags = READ.union(OFlags::DIRECTORY);
const OWNER_ALONE: Mode = Mode::RUSR.union(Mode::WUSR);

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

/// A folder that only this user can enter.
pub(crate) struct Folder(OwnedFd);

impl Folder {
    /// Makes it, and those that it is in.
    pub(crate) fn make(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// The folder, if there is one.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, NotOpened> {
        let folder = match retry_on_intr(|| fs::open(path, OPEN_FOLDER, Mode::empty())) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) if path.is_symlink() => return Err(NotOpened::Link),
            Err(error) => return Err(NotOpened::Failed(error.into())),
        };
        let unseen = |error: Errno| NotOpened::NotExamined(error.into());
        let stat = fs::fstat(&folder).map_err(unseen)?;
        if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
            return Err(NotOpened::Shared("set its mode to 0700"));
        }
        if is_on_network(&folder).map_err(unseen)? {
            return Err(NotOpened::OnNetwork);
        }
        Ok(Some(Self(folder)))
    }

    /// Of what is in the file of this name, the first `limit` bytes.
    pub(crate) fn read(&self, name: &str, limit: usize) -> io::Result<Found> {
        let file = match retry_on_intr(|| fs::openat(&self.0, name, READ, Mode::empty())) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            Err(Errno::LOOP | Errno::MLINK) => return Ok(Found::Foreign("is a link")),
            Err(Errno::ACCESS) => return Ok(Found::Foreign("may not be read by this user")),
            // A socket.
            Err(Errno::NXIO) => return Ok(Found::Foreign("is not a regular file")),
            Err(error) => return Err(error.into()),
        };
        match flaw(&fs::fstat(&file)?) {
            Some(why) => Ok(Found::Foreign(why)),
            None => Found::read(File::from(file), limit),
        }
    }

    /// A new file, which this user alone may use.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let flags = flags | OFlags::CLOEXEC;
        let file = retry_on_intr(|| fs::openat(&self.0, name, flags, OWNER_ALONE))?;
        Ok(File::from(file))
    }

    /// In the place of another of that name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.0, from, &self.0, to)?)
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Of all that is in it, as far as they are texts.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = String>> {
        let entries = Dir::read_from(&self.0)?.map_while(Result::ok);
        Ok(entries.filter_map(|entry| Some(entry.file_name().to_str().ok()?.to_owned())))
    }

    /// When a regular file of this user was changed.
    pub(crate) fn changed(&self, name: &str) -> Option<SystemTime> {
        let stat = fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_ours = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == geteuid().as_raw();
        let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
        is_ours.then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// A file to lock, which is made if `may_make`.
    pub(crate) fn open_lock(&self, name: &str, may_make: bool) -> io::Result<LockFile> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let flags = if may_make { flags | OFlags::CREATE } else { flags };
        let file = retry_on_intr(|| fs::openat(&self.0, name, flags, OWNER_ALONE))?;
        Ok(LockFile(file))
    }

    /// The folder itself, to lock.
    pub(crate) fn own_lock(&self) -> io::Result<LockFile> {
        let folder = retry_on_intr(|| fs::openat(&self.0, ".", OPEN_FOLDER, Mode::empty()))?;
        Ok(LockFile(folder))
    }

    /// What is written at the beginning of a lock file, whoever holds the lock.
    pub(crate) fn read_lock(&self, name: &str, bytes: &mut [u8]) {
        if let Ok(file) = fs::openat(&self.0, name, READ, Mode::empty()) {
            let _ = pread(&file, bytes, 0);
        }
    }
}

/// A file, or the folder, that is there to be locked.
pub(crate) struct LockFile(OwnedFd);

impl LockFile {
    /// Whether it is ours now; it is not while another has it.
    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        let exclusive = FlockOperation::NonBlockingLockExclusive;
        match retry_on_intr(|| fs::flock(&self.0, exclusive)) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn unlock(&self) {
        let _ = fs::flock(&self.0, FlockOperation::Unlock);
    }

    /// Whether the file of this name is this one.
    pub(crate) fn is(&self, folder: &Folder, name: &str) -> io::Result<bool> {
        let this = fs::fstat(&self.0)?;
        match fs::statat(&folder.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok((named.st_dev, named.st_ino) == (this.st_dev, this.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        let _ = pwrite(&self.0, bytes, 0);
    }
}

impl AsFd for LockFile {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether it is for want of locks in the file system that something could not be locked.
pub(crate) fn has_no_locks(error: &io::Error) -> bool {
    let number = Errno::from_io_error(error);
    matches!(number, Some(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP))
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
