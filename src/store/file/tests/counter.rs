//! Counts up a number in the store, as those who write do.

use super::{LIFE, NAME};
use crate::store::file::FileStore;
use crate::store::session::{Backend, Item, StoredItem};

/// As long as a token's blob, and the same all over.
fn bytes(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(512)
}

/// What was counted to; zero if there is nothing.
pub fn number(item: Option<&StoredItem>) -> u64 {
    let Some(StoredItem { blob, .. }) = item else { return 0 };
    let number = u64::from_le_bytes(*blob.first_chunk().expect("it is never empty"));
    assert!(*blob == bytes(number), "it is never torn");
    number
}

/// Counts up so many times, by compare-and-set.
pub fn count_up(store: &FileStore, times: usize) {
    let count = || {
        let mut session = store.open().unwrap();
        let seen = session.look(NAME).unwrap().token;
        let new = bytes(number(seen.as_ref()) + 1);
        let old = seen.as_ref().map(|item| &*item.blob);
        match session.replace(NAME, Item::Token, old, Some(&new), LIFE) {
            // A writer that gets no time on a busy machine is as one that is stopped.
            Err(error) if error.to_string().contains("keeps its folder locked") => false,
            replaced => replaced.unwrap(),
        }
    };
    (0..).filter(|_| count()).take(times).for_each(drop);
}
