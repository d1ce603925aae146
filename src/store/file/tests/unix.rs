//! Tests what only the systems of POSIX have, and gives the other tests what each system has in its own way.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Command};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, geteuid, kill_process, waitid};

use super::child::{Child, default_folder_with, say, wait_for_end_of_input};
use super::items::Alien;
use super::turns::theirs;
use super::{Folder, LIFE, NAME};
use crate::store::file::place::Place;
use crate::store::file::{FileStore, folder, lock};
use crate::store::session::{Item, Session, Turn};
use crate::sys::fork::tests::{in_a_child, without_slots};

pub const ROOT: &str = "/";
/// What begins like these is no absolute path.
pub const RELATIVE: [&str; 6] = ["~/cache", "cache/x", "./x", "../x", "x\n/y", ""];

pub const ALIENS: [Alien; 5] = [
    ("is a link", |file| {
        let target = file.with_extension("target");
        fs::rename(file, &target).unwrap();
        assert!(link(&target, file));
        fs::remove_file(&target).unwrap();
    }),
    ("can be used by other users", |file| {
        fs::set_permissions(file, Permissions::from_mode(0o640)).unwrap();
    }),
    ("is not a regular file", |file| {
        fs::remove_file(file).unwrap();
        mknodat(CWD, file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }),
    ("is not a regular file", |file| {
        fs::remove_file(file).unwrap();
        mknodat(CWD, file, FileType::Socket, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }),
    ("is a folder", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    }),
];

/// Whether that is allowed to this user.
pub fn link(target: &Path, link: &Path) -> bool {
    symlink(target, link).is_ok()
}

/// Lets others use a file or a folder.
pub fn share(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o750)).unwrap();
}

/// As the store makes its files.
pub fn make_for_owner_alone(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

pub fn is_for_owner_alone(path: &Path) -> bool {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777 == 0o600
}

/// A file or a folder, to set its times.
pub fn opened(path: &Path) -> File {
    File::open(path).unwrap()
}

/// Whatever the process does, it does it no more.
pub fn stop(process: &process::Child) {
    let pid = Pid::from_child(process);
    kill_process(pid, Signal::STOP).unwrap();
    waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED).unwrap();
}

/// What a child does on these systems alone.
pub fn act(act: &str, store: &FileStore, session: &mut dyn Session) {
    assert_eq!(act, "fork");
    session.try_lock(NAME, None).unwrap();
    let folder = folder::make(&store.place(NAME, Item::Token)).unwrap();
    let _lock = lock::wait_for_folder(&folder, &mut LIFE.clone()).unwrap().unwrap();
    in_a_child(|| {
        say("forked");
        wait_for_end_of_input();
        0
    });
}

#[test]
fn a_file_of_another_user_is_not_read_and_gives_way() {
    if geteuid().is_root() {
        let to_another = |file: &Path| chown(file, Some(65_534), None).unwrap();
        super::items::alien("belongs to another user", to_another);
    }
}

/// A limit stands for a disk: the same writes fail.
#[test]
fn on_a_full_disk_all_else_goes_on() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"first")).unwrap();
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    command.arg(std::env::current_exe().unwrap());
    let mut child = Child::run(command, "write", &folder.path);
    assert_eq!(child.said(), "Ok(Some(5))");
    let error = child.said();
    assert!(error.ends_with("cannot be written (File too large)\")"), "{error}");
    assert_eq!(child.said(), "Ok(true)", "to erase it takes no room");
    assert_eq!(child.said(), "Ok(Ours)");
    child.finish();
    assert!(folder.files().is_empty(), "nothing is left behind");
}

#[test]
fn a_folder_that_is_only_read_serves_its_token() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"first")).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    if geteuid().is_root() {
        // Root may write everywhere.
        chown(folder.file(""), Some(65_534), None).unwrap();
        chown(&folder.path, Some(65_534), None).unwrap();
        command.uid(65_534);
    }
    fs::set_permissions(&folder.path, Permissions::from_mode(0o500)).unwrap();
    let mut child = Child::run(command, "write", &folder.path);
    assert_eq!(child.said(), "Ok(Some(5))");
    for what in ["written", "replaced", "locked"] {
        let error = child.said();
        assert!(error.ends_with(&format!("cannot be {what} (Permission denied)\")")), "{error}");
    }
    child.finish();
    fs::set_permissions(&folder.path, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(folder.files(), ["NAME"]);
}

#[test]
fn without_locks_another_disk_is_asked_for() {
    let place = Place { folder: Path::new("/a\nb"), file: "c".to_owned() };
    let error = place.not_locked(io::Error::from_raw_os_error(libc::ENOLCK)).to_string();
    let expected = "the token file /a\\nb/c cannot be locked (No locks available); give the path of a folder \
                    on a local disk";
    assert_eq!(error, expected);
    assert!(
        !place.not_locked(io::Error::from_raw_os_error(libc::EACCES)).to_string().contains(';')
    );
}
#[test]
fn a_lock_is_a_lock_however_many_there_are() {
    let folder = Folder::new();
    without_slots(|| {
        let (held, turn) = folder.try_lock(None);
        assert_eq!(turn, Turn::Ours);
        theirs(folder.try_lock(None).1);
        drop(held);
        assert_eq!(folder.try_lock(None).1, Turn::Ours);
    });
}

#[test]
fn a_forked_child_neither_has_the_turn_nor_ends_it() {
    let folder = Folder::new();
    let (mut session, turn) = folder.try_lock(None);
    assert_eq!(turn, Turn::Ours);
    let child = in_a_child(|| {
        let turn = session.try_lock(NAME, None);
        drop(std::mem::replace(&mut session, folder.open()));
        u8::from(turn.is_ok_and(|turn| turn == Turn::Ours))
    });
    assert_eq!(child, 0);
    theirs(folder.try_lock(None).1);
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
}

/// The child's own child lives on, and holds nothing.
#[test]
fn a_killed_holder_that_had_forked_frees_all_at_once() {
    let folder = Folder::new();
    let mut child = Child::start("fork", &folder.path);
    assert_eq!(child.said(), "\"forked\"");
    let mut session = folder.open();
    theirs(session.try_lock(NAME, None).unwrap());
    child.kill();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    assert!(folder.replace(Item::Token, None, Some(b"a token")).unwrap());
    child.close_input();
}

#[test]
fn the_default_folder_is_in_the_first_absolute_one() {
    const RUNTIME: &str = "XDG_RUNTIME_DIR";
    const CACHE: &str = "XDG_CACHE_HOME";
    let all = [(RUNTIME, "/run/1"), (CACHE, "/c"), ("HOME", "/h")];
    assert_eq!(default_folder_with(&all), r#"Ok("/run/1/clazar-auth")"#);
    let all = [(RUNTIME, "run/1"), (CACHE, "/c"), ("HOME", "h")];
    assert_eq!(default_folder_with(&all), r#"Ok("/c/clazar-auth")"#);
    let all = [(RUNTIME, "~/run"), (CACHE, "./c"), ("HOME", "/h")];
    assert_eq!(default_folder_with(&all), r#"Ok("/h/.cache/clazar-auth")"#);
    for (variables, why) in [
        (&[("HOME", "h")][..], "HOME is not an absolute path"),
        (&[(CACHE, "c")], "XDG_CACHE_HOME is not an absolute path"),
        (&[], "XDG_RUNTIME_DIR, XDG_CACHE_HOME and HOME are unset"),
    ] {
        let error =
            format!("there is no place for the file store, since {why}; give the path of a folder");
        assert_eq!(default_folder_with(variables), format!("Err({error:?})"));
    }
}
