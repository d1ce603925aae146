//! What may be wrong with a store in files.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, FlockOperation, Mode, flock, mknodat};

/// Not whoever runs this.
const ANOTHER_USER: Option<u32> = Some(65_534);

/// A folder of a store, for one provider.
pub struct Folder {
    path: PathBuf,
    /// Held as by another process.
    lock: Option<File>,
}

impl Folder {
    pub fn new(path: PathBuf, fault: &str) -> Self {
        // Nobody may write there, root included.
        let path = if fault == "unwritable" { "/proc/clazar-auth".into() } else { path };
        Self { path, lock: None }
    }

    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Makes it faulty, once there is a token in it.
    pub fn spoil(&mut self, fault: &str) {
        let set_mode =
            |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        match fault {
            "unwritable" => return,
            "open folder" => return set_mode(&self.path, 0o755),
            "another user's folder" => return chown(&self.path, ANOTHER_USER, None).unwrap(),
            "no folder" => {
                fs::remove_dir_all(&self.path).unwrap();
                return fs::write(&self.path, "").unwrap();
            }
            _ => {}
        }
        let file = self.token();
        match fault {
            "open file" => set_mode(&file, 0o644),
            "writable file" => set_mode(&file, 0o620),
            "another user's file" => chown(&file, ANOTHER_USER, None).unwrap(),
            "empty" => fs::write(&file, "").unwrap(),
            "garbage" => fs::write(&file, [b'x'; 2000]).unwrap(),
            "large" => fs::write(&file, [b'x'; 65 * 1024]).unwrap(),
            "changed" => {
                let mut blob = fs::read(&file).unwrap();
                let last = blob.len() - 1;
                blob[last] ^= 1;
                fs::write(&file, blob).unwrap();
            }
            "link" => {
                let other = self.path.with_extension("other");
                fs::rename(&file, &other).unwrap();
                symlink(other, &file).unwrap();
            }
            "folder" => {
                fs::remove_file(&file).unwrap();
                fs::create_dir(&file).unwrap();
            }
            "pipe" => {
                fs::remove_file(&file).unwrap();
                mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            }
            // There is no room for another.
            "full disk" => fs::remove_file(&file).unwrap(),
            "locked" => {
                fs::remove_file(&file).unwrap();
                let lock = File::create(file.with_extension("lock")).unwrap();
                flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
                self.lock = Some(lock);
            }
            _ => panic!("{fault} is nothing that may be wrong with a file"),
        }
    }

    /// The file of the token.
    fn token(&self) -> PathBuf {
        let files = fs::read_dir(&self.path).unwrap().map(|entry| entry.unwrap().path());
        let mut files = files.filter(|path| path.extension().is_none_or(|it| it != "lock"));
        files.next().expect("there is a token")
    }
}
