//! Tests what is read, and what is replaced.

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use super::child::Child;
use super::system::{ALIENS, is_for_owner_alone, share};
use super::{Folder, LIFE, NAME, blob};
use crate::store::file::PATIENCE;
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
        assert!(is_for_owner_alone(&folder.file(ending)));
        assert!(replace(Some(b"b"), None) && stored().is_none());
        assert!(replace(None, Some(ending.as_bytes())));
    }
    let view = folder.look();
    assert_eq!(blob(view.token).unwrap(), b"");
    assert_eq!(blob(view.backoff).unwrap(), b".backoff");
    assert_eq!(folder.files(), ["NAME", "NAME.backoff", "NAME.probe"]);
    assert!(folder.look().now.since(&view.now).is_some(), "it is one clock, which goes forward");
}

/// It is closed then, since not each system replaces what is open.
fn set_length(file: &Path, length: u64) {
    File::options().write(true).open(file).unwrap().set_len(length).unwrap();
}

#[test]
fn garbage_is_seen_and_replaced() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"a token")).unwrap();
    for length in [0, 1, LONGEST, LONGEST + 1, LONGEST + 2, 1 << 30] {
        set_length(&folder.file(""), length as u64);
        let seen = blob(folder.look().token).unwrap();
        assert_eq!(seen.len(), length.min(LONGEST + 1));
        let other = [&seen[..], b"x"].concat();
        assert!(!folder.replace(Item::Token, Some(&other), Some(b"new")).unwrap());
        assert!(!folder.replace(Item::Token, None, Some(b"new")).unwrap());
        assert!(folder.replace(Item::Token, Some(&seen), Some(b"new")).unwrap());
        assert_eq!(fs::read(folder.file("")).unwrap(), b"new");
    }
}

/// What none of ours has made, and why it is not read.
pub type Alien = (&'static str, fn(&Path));

/// Puts something in the token's place that none of ours has made.
pub fn alien(why: &str, make: impl Fn(&Path)) {
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
        assert!(error.contains(" cannot be replaced ("), "{error}");
    } else {
        assert!(replaced.unwrap(), "{why}");
        assert_eq!(blob(folder.look().token).unwrap(), b"new");
    }
    assert_eq!(folder.files(), ["NAME"], "{why}");
}

#[test]
fn what_others_made_is_not_read_and_gives_way() {
    for (why, make) in ALIENS {
        alien(why, make);
    }
}

#[test]
fn a_back_off_that_others_made_hides_no_token() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"token")).unwrap();
    folder.replace(Item::Backoff, None, Some(b"backoff")).unwrap();
    share(&folder.file(".backoff"));
    let view = folder.look();
    assert_eq!((blob(view.token).unwrap(), view.backoff), (b"token".to_vec(), None));
    assert!(folder.replace(Item::Backoff, None, Some(b"next")).unwrap());
    assert_eq!(blob(folder.look().backoff).unwrap(), b"next");
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    let folder = Folder::new();
    folder.replace(Item::Token, None, Some(b"a token")).unwrap();
    share(&folder.path);
    let mut session = folder.open();
    let errors = [
        session.look(NAME).map(drop),
        session.try_lock(NAME, Some(&crate::store::session::Holder(Vec::new()))).map(drop),
        session.replace(NAME, Item::Token, None, None, LIFE).map(drop),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert!(error.to_string().contains("has a folder that other users can enter; "), "{error}");
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
