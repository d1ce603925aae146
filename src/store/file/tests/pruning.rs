//! Tests what is removed from the folder.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::system::{link, make_for_owner_alone, opened};
use super::{Folder, LIFE, NAME};
use crate::store::session::{Item, Turn};

const HOUR: Duration = Duration::from_secs(3600);
const SEALED: &[u8] = b"CLZA and so on";

/// A name as that of another client.
fn name(number: usize) -> String {
    format!("{number:064x}")
}

fn make(folder: &Folder, name: &str, bytes: &[u8], age: Duration) {
    let path = folder.path.join(name);
    make_for_owner_alone(&path, bytes);
    set_age(&path, age);
}

fn set_age(path: &Path, age: Duration) {
    opened(path).set_modified(SystemTime::now() - age).unwrap();
}

fn write(folder: &Folder) {
    let old = fs::read(folder.file("")).ok();
    assert!(folder.replace(Item::Token, old.as_deref(), Some(SEALED)).unwrap());
}

/// All that the store makes.
fn ours() -> Vec<String> {
    let id = "0123456789abcdef0123456789abcdef";
    let drafts = ["token", "backoff", "probe"].map(|item| format!(".{item}.{id}.new"));
    let endings = ["", ".backoff", ".probe", ".lock", ".lock2"].map(str::to_owned);
    endings.into_iter().chain(drafts).map(|ending| name(7) + &ending).collect()
}

#[test]
fn what_is_ours_and_a_day_and_an_hour_old_is_removed() {
    let folder = Folder::new();
    write(&folder);
    for file in ours() {
        make(&folder, &file, SEALED, 25 * HOUR + HOUR / 60);
    }
    write(&folder);
    assert_eq!(folder.files(), ["NAME"]);
    for file in ours() {
        make(&folder, &file, SEALED, 25 * HOUR - HOUR / 60);
    }
    write(&folder);
    assert_eq!(folder.files().len(), ours().len() + 1);
}

#[test]
fn nothing_else_is_removed() {
    let folder = Folder::new();
    write(&folder);
    let name = name(7);
    let others = [
        "readme".to_owned(),
        name[1..].to_owned(),
        format!("{name}0"),
        format!("g{}", &name[1..]),
        format!("{:064X}", 0xabc),
        format!("{name}."),
        format!("{name}.txt"),
        format!("{name}.lock3"),
        format!("{name}.new"),
        format!("{name}.token.new"),
        format!("{name}.token.0123.new"),
        format!("{name}.other.0123456789abcdef0123456789abcdef.new"),
        format!("{name}.token.0123456789abcdef0123456789abcdef.new.x"),
    ];
    for other in &others {
        make(&folder, other, SEALED, 1000 * HOUR);
    }
    // As files are called that others name by their hash.
    make(&folder, &name, b"no token", 1000 * HOUR);
    let links = link(&folder.path.join("readme"), &folder.path.join(format!("{name}.lock")));
    fs::create_dir(folder.path.join(format!("{name}.probe"))).unwrap();
    set_age(&folder.path.join(format!("{name}.probe")), 1000 * HOUR);
    let before = folder.files();
    let is_there = |other: &String| folder.path.join(other).exists();
    assert!(others.iter().all(is_there) && before.len() > others.len() + usize::from(links));
    write(&folder);
    assert_eq!(folder.files(), before);
}

#[test]
fn a_lock_that_is_held_stays() {
    let folder = Folder::new();
    let (_holder, turn) = folder.try_lock(None);
    assert_eq!(turn, Turn::Ours);
    let Turn::Theirs(holder) = folder.try_lock(None).1 else { panic!("it is another's turn") };
    let (successor, turn) = folder.try_lock(Some(&holder));
    assert_eq!(turn, Turn::Ours);
    for lock in [".lock", ".lock2"] {
        set_age(&folder.file(lock), 1000 * HOUR);
    }
    write(&folder);
    assert_eq!(folder.files(), ["NAME", "NAME.lock", "NAME.lock2"]);
    drop(successor);
}

/// Who fails to replace something cleans up all the same, and its own file may be old.
#[test]
fn what_is_replaced_is_not_removed() {
    let folder = Folder::new();
    write(&folder);
    set_age(&folder.file(""), 1000 * HOUR);
    write(&folder);
    assert_eq!(folder.files(), ["NAME"]);
    set_age(&folder.file(""), 1000 * HOUR);
    assert!(!folder.replace(Item::Token, Some(b"else"), Some(SEALED)).unwrap());
    assert!(folder.files().is_empty());
}

#[test]
fn a_large_folder_is_cleaned_up_bit_by_bit() {
    const COUNT: usize = 1000;
    let folder = Folder::new();
    write(&folder);
    for number in 0..COUNT {
        make(&folder, &format!("{}.probe", name(number)), b"", 26 * HOUR);
    }
    let mut session = folder.open();
    for round in 1.. {
        let left = folder.files().len() - 1;
        session.replace(NAME, Item::Token, Some(SEALED), Some(SEALED), LIFE).unwrap();
        let removed = left + 1 - folder.files().len();
        assert!(removed <= 200 && round <= COUNT, "{removed} of {left} in round {round}");
        if left == 0 {
            break;
        }
    }
}

/// Those that are used do not hide the others.
#[test]
fn each_part_of_a_large_folder_has_its_turn() {
    let folder = Folder::new();
    write(&folder);
    // Newest first or oldest first, as the file system likes: the old ones are last in one of both.
    for (numbers, age) in [(0..10, 26), (10..500, 1), (500..510, 26)] {
        for number in numbers {
            make(&folder, &format!("{}.probe", name(number)), b"", age * HOUR);
        }
    }
    let used = 490 + 1;
    let is_clean = (0..1000).any(|_| {
        write(&folder);
        folder.files().len() == used
    });
    assert!(is_clean, "{} files", folder.files().len());
}
