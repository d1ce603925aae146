//! Tests whose turn it is.

use std::collections::HashSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use super::child::Child;
use super::{Folder, NAME};
use crate::store::file::prune;
use crate::store::session::{Holder, Turn};
use crate::sys;

pub fn theirs(turn: Turn) -> Holder {
    match turn {
        Turn::Theirs(holder) => holder,
        Turn::Ours => panic!("it is another's turn"),
    }
}

#[test]
fn each_name_has_its_own_turn() {
    let folder = Folder::new();
    let (mut first, mut second) = (folder.open(), folder.open());
    let nobody = Holder(Vec::new());
    for from in [None, Some(&nobody), None] {
        assert_eq!(first.try_lock("a", from).unwrap(), Turn::Ours);
        assert_eq!(second.try_lock("b", from).unwrap(), Turn::Ours);
    }
    theirs(second.try_lock("a", None).unwrap());
    theirs(first.try_lock("b", None).unwrap());
    drop(first);
    assert_eq!(second.try_lock("a", None).unwrap(), Turn::Ours);
}

#[test]
fn a_holder_is_the_same_as_long_as_it_holds_and_another_after_that() {
    let folder = Folder::new();
    let mut holders = HashSet::new();
    for _ in 0..20 {
        let (_held, turn) = folder.try_lock(None);
        assert_eq!(turn, Turn::Ours);
        let looks: HashSet<_> = (0..20).map(|_| theirs(folder.try_lock(None).1).0).collect();
        assert_eq!(looks.len(), 1);
        holders.extend(looks);
    }
    assert_eq!(holders.len(), 20);
}

/// Many at once; one of them gets the turn.
fn all_take_over(folder: &Folder, from: &Holder, count: usize) {
    let (start, end, ours) = (Barrier::new(count), Barrier::new(count), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                start.wait();
                let (_session, turn) = folder.try_lock(Some(from));
                ours.fetch_add(u32::from(turn == Turn::Ours), Ordering::SeqCst);
                end.wait();
            });
        }
    });
    assert_eq!(ours.into_inner(), 1);
}

#[test]
fn a_stopped_holder_is_passed_over_by_one() {
    let folder = Folder::new();
    let mut child = Child::start("turn", &folder.path);
    assert_eq!(child.said(), "Ours");
    child.stop();
    let stopped = theirs(folder.try_lock(None).1);
    all_take_over(&folder, &stopped, 8);
}

#[test]
fn who_has_taken_over_is_waited_for_like_any_other() {
    let folder = Folder::new();
    let mut child = Child::start("turn", &folder.path);
    assert_eq!(child.said(), "Ours");
    child.stop();
    let stopped = theirs(folder.try_lock(None).1);
    let (successor, turn) = folder.try_lock(Some(&stopped));
    assert_eq!(turn, Turn::Ours);
    let holder = theirs(folder.try_lock(None).1);
    assert_ne!(holder, stopped, "who waits sees that there is a new one");
    assert_eq!(theirs(folder.try_lock(Some(&stopped)).1), holder);
    // Who comes new does not pass by the one who has taken over.
    child.kill();
    for from in [None, Some(&stopped)] {
        assert_eq!(theirs(folder.try_lock(from).1), holder);
        assert_eq!(theirs(folder.try_lock(from).1), holder, "to look changes nothing");
    }
    drop(successor);
    assert_eq!(folder.try_lock(None).1, Turn::Ours);
}

/// Those who come after that do not wait for it once more.
#[test]
fn a_stopped_holder_is_passed_over_once_and_for_all() {
    let folder = Folder::new();
    let mut child = Child::start("turn", &folder.path);
    assert_eq!(child.said(), "Ours");
    child.stop();
    let stopped = theirs(folder.try_lock(None).1);
    drop(folder.try_lock(Some(&stopped)));
    for _ in 0..3 {
        assert_eq!(folder.try_lock(None).1, Turn::Ours);
    }
    assert_eq!(folder.files(), [""; 0]);
}

/// The one that was waited for has ended in the meantime, and another has its turn.
#[test]
fn who_has_waited_for_one_does_not_pass_over_the_next() {
    let folder = Folder::new();
    let (first, _) = folder.try_lock(None);
    let waited_for = theirs(folder.try_lock(None).1);
    drop(first);
    let (_second, turn) = folder.try_lock(None);
    assert_eq!(turn, Turn::Ours);
    theirs(folder.try_lock(Some(&waited_for)).1);
    assert_eq!(folder.files(), ["NAME.lock"], "nothing of an attempt stays");
}

#[test]
fn a_killed_holder_frees_the_turn_at_once() {
    let folder = Folder::new();
    let mut child = Child::start("turn", &folder.path);
    assert_eq!(child.said(), "Ours");
    theirs(folder.try_lock(None).1);
    child.kill();
    assert_eq!(folder.try_lock(None).1, Turn::Ours);
}

/// Another process removes the lock's file whenever nobody holds it.
#[test]
fn a_lock_whose_file_is_removed_is_still_one_at_a_time() {
    let folder = Folder::new();
    drop(folder.try_lock(None));
    let opened = sys::folder::Folder::open(&folder.path).ok().flatten().unwrap();
    let (inside, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
    let take = || {
        let (_session, turn) = folder.try_lock(None);
        let is_ours = turn == Turn::Ours;
        if is_ours {
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
        }
        is_ours
    };
    thread::scope(|scope| {
        let remover = || {
            while !is_over.load(Ordering::SeqCst) {
                prune::remove_lock(&opened, &format!("{NAME}.lock"));
            }
        };
        scope.spawn(remover);
        let takers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..).filter(|_| take()).take(200).for_each(drop)))
            .collect();
        let taken: Vec<_> = takers.into_iter().map(|taker| taker.join()).collect();
        is_over.store(true, Ordering::SeqCst);
        assert!(taken.iter().all(Result::is_ok), "two held it at once");
    });
}
