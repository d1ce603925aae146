//! Lets many write at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::Folder;
use super::child::Child;
use super::counter::{count_up, number};

const THREADS: usize = 8;
const TIMES: usize = 125;

#[test]
fn no_update_is_lost_and_no_reader_sees_half_of_one() {
    let folder = Folder::new();
    let mut child = Child::start("count", &folder.path);
    let is_over = AtomicBool::new(false);
    let look = || number(folder.look().token.as_ref());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let next = look();
                    assert!(next >= last, "it never goes back");
                    last = next;
                }
            });
        }
        let writers: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| count_up(&folder.store, TIMES))).collect();
        let written: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        child.close_input();
        child.finish();
        is_over.store(true, Ordering::SeqCst);
        assert!(written.iter().all(Result::is_ok));
    });
    assert_eq!(look(), (THREADS * TIMES + 250) as u64);
    assert_eq!(folder.files(), ["NAME"]);
}
