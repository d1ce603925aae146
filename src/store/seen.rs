//! Remembers what a store showed.

use std::collections::BTreeMap;
use std::time::Instant;

use super::session::View;
use super::stamp::Stamp;

/// What the last look at each name showed.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub(super) time: Option<StoreTime>,
    tokens: BTreeMap<String, Vec<u8>>,
}

/// What the store's clock showed, and when that was seen.
#[derive(Clone)]
pub(super) struct StoreTime {
    pub(super) stamp: Stamp,
    seen: Instant,
}

impl StoreTime {
    /// What it shows now, as far as this host's own clock can tell.
    pub(super) fn at(&self, now: Instant) -> Stamp {
        self.stamp.after(now - self.seen)
    }
}

impl Seen {
    pub(super) fn note(&mut self, name: &str, view: &View, seen: Instant) {
        self.time = Some(StoreTime { stamp: view.now.clone(), seen });
        match &view.token {
            Some(stored) => self.tokens.insert(name.to_owned(), stored.blob.clone()),
            None => self.tokens.remove(name),
        };
    }

    /// The blob that was there.
    pub(super) fn token(&self, name: &str) -> Option<&[u8]> {
        self.tokens.get(name).map(Vec::as_slice)
    }
}
