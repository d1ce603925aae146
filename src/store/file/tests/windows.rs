//! Tests what only Windows has, and gives the other tests what each system has in its own way.

use std::fs::{self, File, OpenOptions};
use std::os::windows::fs::{OpenOptionsExt, symlink_dir, symlink_file};
use std::path::Path;
use std::process;

use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_BACKUP_SEMANTICS, FILE_WRITE_ATTRIBUTES};

use super::child::default_folder_with;
use super::items::Alien;
use super::{Folder, NAME, blob};
use crate::store::file::FileStore;
use crate::store::session::{Backend, Item, Session, Turn};
pub(super) use crate::sys::folder::tests::{is_for_owner_alone, make_for_owner_alone, share};

pub const ROOT: &str = r"C:\";
/// What begins like these is no absolute path.
pub const RELATIVE: [&str; 6] = ["~/cache", r"cache\x", r".\x", "C:x", r"\x", ""];

pub const ALIENS: [Alien; 2] = [
    ("can be used by other users", share),
    ("is a folder", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    }),
];

/// Whether that is allowed to this user.
pub fn link(target: &Path, link: &Path) -> bool {
    symlink_file(target, link).is_ok()
}

/// A file or a folder, to set its times.
pub fn opened(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.access_mode(FILE_WRITE_ATTRIBUTES).custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    options.open(path).unwrap()
}

/// Nothing stops a process here; each child waits for the end of its input anyway.
pub fn stop(_process: &process::Child) {}

/// There is nothing that a child does here alone.
pub fn act(act: &str, _store: &FileStore, _session: &mut dyn Session) {
    panic!("there is no act {act}");
}

#[test]
fn a_link_is_not_followed() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"token")).unwrap();
    let target = folder.path.join("target");
    fs::rename(folder.file(""), &target).unwrap();
    let leading = folder.path.with_extension("link");
    if !link(&target, &folder.file("")) || symlink_dir(&folder.path, &leading).is_err() {
        return println!("skipped: this user may make no links");
    }
    let error = folder.open().look(NAME).unwrap_err().to_string();
    assert!(error.ends_with("is a link; remove it"), "{error}");
    let store = FileStore::new(leading.clone()).unwrap();
    let error = store.open().unwrap().look(NAME).unwrap_err().to_string();
    assert!(error.contains("is a link; name the folder"), "{error}");
    fs::remove_dir(leading).unwrap();
}

#[test]
fn a_path_may_be_longer_than_260_characters() {
    let folder = Folder::new();
    let deep = (0..20).fold(folder.path.clone(), |path, _| path.join("a-name-of-some-length"));
    let store = FileStore::new(deep).unwrap();
    let mut session = store.open().unwrap();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    assert!(session.replace(NAME, Item::Token, None, Some(b"token"), super::LIFE).unwrap());
    assert_eq!(blob(session.look(NAME).unwrap().token).unwrap(), b"token");
}

/// Two names that differ in case alone would be one file.
#[test]
fn names_have_no_capitals() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"token")).unwrap();
    let _turn = folder.try_lock(None);
    let entries = fs::read_dir(&folder.path).unwrap();
    let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.len() > 1 && names.iter().all(|name| name.to_ascii_lowercase() == *name));
}

#[test]
fn the_default_folder_is_among_the_users_local_data() {
    let all = [("LOCALAPPDATA", r"C:\a"), ("USERPROFILE", r"C:\b")];
    assert_eq!(default_folder_with(&all), r#"Ok("C:\\a\\clazar-auth")"#);
    let all = [("LOCALAPPDATA", r"a"), ("USERPROFILE", r"C:\b")];
    assert_eq!(default_folder_with(&all), r#"Ok("C:\\b\\AppData\\Local\\clazar-auth")"#);
    let error = default_folder_with(&[("LOCALAPPDATA", r"C:")]);
    assert!(error.contains("LOCALAPPDATA is not an absolute path;"), "{error}");
    let error = default_folder_with(&[]);
    assert!(error.contains("LOCALAPPDATA and USERPROFILE are unset;"), "{error}");
}
