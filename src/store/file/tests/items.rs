//! Tests what is read, and what is replaced.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::geteuid;

use super::child::Child;
use super::{Folder, LIFE, NAME, blob};
use crate::store::file::PATIENCE;
use crate::store::file::place::Place;
use crate::store::seal::LONGEST;
use crate::store::session::{Item, Turn};

/// A machine under load may take ten times as long as it should.
const SLACK: u32 = 10;

#[test]
fn each_item_is_replaced_if_it_is_still_as_it_was_seen() {
    let folder = Folder::new();
    assert!(!folder.path.exists() && folder.look().token.is_none());
    assert!(folder.replace(Item::Token, None, None).unwrap());
    assert!(!folder.replace(Item::Token, Some(b"old"), None).unwrap());
    assert!(!folder.path.exists(), "who only looks makes nothing");
    for (item, ending) in [(Item::Token, ""), (Item::Backoff, ".backoff"), (Item::Probe, ".probe")]
    {
        let replace =
            |old: Option<&[u8]>, new: Option<&[u8]>| folder.replace(item, old, new).unwrap();
        let stored = || fs::read(folder.file(ending)).ok();
        assert!(!replace(Some(b"a"), Some(b"b")) && stored().is_none());
        assert!(replace(None, Some(b"a")) && stored().unwrap() == b"a");
        assert!(!replace(None, Some(b"b")) && !replace(Some(b"ab"), None));
        assert!(!replace(None, None) && stored().unwrap() == b"a");
        assert!(replace(Some(b"a"), Some(b"b")) && stored().unwrap() == b"b");
        let mode = fs::metadata(folder.file(ending)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert!(replace(Some(b"b"), None) && stored().is_none());
        assert!(replace(None, Some(ending.as_bytes())));
    }
    let view = folder.look();
    assert_eq!(blob(view.token).unwrap(), b"");
    assert_eq!(blob(view.backoff).unwrap(), b".backoff");
    assert_eq!(folder.files(), ["NAME", "NAME.backoff", "NAME.probe"]);
    assert!(folder.look().now.since(&view.now).is_some(), "it is one clock, which goes forward");
}

#[test]
fn garbage_is_seen_and_replaced() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"a token")).unwrap();
    for length in [0, 1, LONGEST, LONGEST + 1, LONGEST + 2, 1 << 30] {
        let file = File::options().write(true).open(folder.file("")).unwrap();
        file.set_len(length as u64).unwrap();
        let seen = blob(folder.look().token).unwrap();
        assert_eq!(seen.len(), length.min(LONGEST + 1));
        let other = [&seen[..], b"x"].concat();
        assert!(!folder.replace(Item::Token, Some(&other), Some(b"new")).unwrap());
        assert!(!folder.replace(Item::Token, None, Some(b"new")).unwrap());
        assert!(folder.replace(Item::Token, Some(&seen), Some(b"new")).unwrap());
        assert_eq!(fs::read(folder.file("")).unwrap(), b"new");
    }
}

/// Puts something in the token's place that none of ours has made.
fn alien(why: &str, make: impl Fn(&Path)) {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"a token")).unwrap();
    make(&folder.file(""));
    let error = folder.open().look(NAME).unwrap_err().to_string();
    let expected = format!("the token file {} {why}; remove it", folder.file("").display());
    assert_eq!(error, expected);
    assert!(!folder.replace(Item::Token, Some(b"a token"), Some(b"new")).unwrap(), "{why}");
    let replaced = folder.replace(Item::Token, None, Some(b"new"));
    if folder.file("").is_dir() {
        let error = replaced.unwrap_err().to_string();
        assert!(error.ends_with("cannot be replaced (Is a directory)"), "{error}");
    } else {
        assert!(replaced.unwrap(), "{why}");
        assert_eq!(blob(folder.look().token).unwrap(), b"new");
    }
    assert_eq!(folder.files(), ["NAME"], "{why}");
}

#[test]
fn what_others_made_is_not_read_and_gives_way() {
    let target = Folder::new();
    target.replace(Item::Token, None, Some(b"target")).unwrap();
    alien("is a link", |file| {
        fs::remove_file(file).unwrap();
        symlink(target.file(""), file).unwrap();
    });
    assert_eq!(blob(target.look().token).unwrap(), b"target");
    alien("can be used by other users", |file| {
        fs::set_permissions(file, Permissions::from_mode(0o640)).unwrap();
    });
    alien("is not a regular file", |file| {
        fs::remove_file(file).unwrap();
        mknodat(CWD, file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    });
    alien("is a folder", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    });
    if geteuid().is_root() {
        alien("belongs to another user", |file| chown(file, Some(65_534), None).unwrap());
    }
}

#[test]
fn a_back_off_that_others_made_hides_no_token() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"token")).unwrap();
    folder.replace(Item::Backoff, None, Some(b"backoff")).unwrap();
    fs::set_permissions(folder.file(".backoff"), Permissions::from_mode(0o644)).unwrap();
    let view = folder.look();
    assert_eq!((blob(view.token).unwrap(), view.backoff), (b"token".to_vec(), None));
    assert!(folder.replace(Item::Backoff, None, Some(b"next")).unwrap());
    assert_eq!(blob(folder.look().backoff).unwrap(), b"next");
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"a token")).unwrap();
    fs::set_permissions(&folder.path, Permissions::from_mode(0o710)).unwrap();
    let mut session = folder.open();
    let errors = [
        session.look(NAME).map(drop),
        session.try_lock(NAME, Some(&crate::store::session::Holder(Vec::new()))).map(drop),
        session.replace(NAME, Item::Token, None, None, LIFE).map(drop),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert!(error.to_string().ends_with("set its mode to 0700"), "{error}");
    }
    assert_eq!(folder.files(), ["NAME"]);
}

/// A process that is stopped in the middle of a rename keeps others from writing, and from nothing else.
#[test]
fn a_folder_that_stays_locked_costs_a_session_a_second_in_all() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"a token")).unwrap();
    let mut child = Child::start("folder", &folder.path);
    child.said();
    child.stop();
    let start = Instant::now();
    let (mut session, turn) = folder.try_lock(None);
    assert_eq!(turn, Turn::Ours);
    for _ in 0..2 * SLACK {
        assert!(session.look(NAME).unwrap().token.is_some());
        let error = session.replace(NAME, Item::Token, Some(b"a token"), Some(b"new"), LIFE);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("keeps its folder locked"), "{error}");
    }
    assert!(start.elapsed() >= PATIENCE && start.elapsed() < PATIENCE * SLACK);
    assert_eq!(folder.files(), ["NAME", "NAME.lock"]);
    child.kill();
    assert!(folder.replace(Item::Token, Some(b"a token"), Some(b"new")).unwrap());
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
    let error = place.not_locked(rustix::io::Errno::NOLCK).to_string();
    let expected = "the token file /a\\nb/c cannot be locked (No locks available); give the path of a folder \
                    on a local disk";
    assert_eq!(error, expected);
    assert!(!place.not_locked(rustix::io::Errno::ACCESS).to_string().contains(';'));
    assert!(PATIENCE <= Duration::from_secs(1));
}
