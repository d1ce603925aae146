//! Defines what a store must be able to do.

use std::time::Duration;

use super::StoreError;
use super::stamp::Stamp;

/// How often it is tried to replace what others change meanwhile.
pub(super) const MOST_TRIES: u32 = 3;

/// What is kept under a name. Its number is part of the seal: nothing opens in another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Item {
    Token = 1,
    /// For how long no token request is to be made, since the API said so.
    Backoff = 2,
    /// What stands for a token when the store is probed.
    Probe = 3,
}

impl Item {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Backoff => "backoff",
            Self::Probe => "probe",
        }
    }
}

/// A sealed item as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredItem {
    /// As many bytes as are of interest: of what is longer than a blob can be, the first.
    pub(super) blob: Vec<u8>,
    /// For how long the store will still keep it, if it says so.
    pub(super) left: Option<Duration>,
}

/// What is stored under a name, and when that was seen.
#[derive(Debug)]
pub(super) struct View {
    /// By the clock of the store.
    pub(super) now: Stamp,
    pub(super) token: Option<StoredItem>,
    pub(super) backoff: Option<StoredItem>,
}

/// Tells one holder of a lock from the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder(pub(super) Vec<u8>);

/// Whose turn it is to make a token request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Ours,
    Theirs(Holder),
}

/// A place that several processes use. Each name in it is that of one client with one secret.
pub(super) trait Backend: Send + Sync {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError>;

    /// Where what has this name is kept, for people.
    fn location(&self, name: &str) -> String;

    /// Where the store is probed for what has this name.
    fn probe_name(&self, name: &str) -> String {
        name.to_owned()
    }

    /// What is wrong with what has this name.
    fn error(&self, name: &str, what: &str) -> StoreError {
        StoreError(format!("{} {what}", self.location(name)))
    }
}

/// The use of a store for one token request, which ends in time whatever others do. What it locked is free
/// again when it is dropped, or its process dies.
pub(super) trait Session {
    fn look(&mut self, name: &str) -> Result<View, StoreError>;

    /// Makes it this session's turn, unless it is another's. `from` is a holder for whom it has waited long
    /// enough: one of those who take over from that one gets a turn all the same.
    fn try_lock(&mut self, name: &str, from: Option<&Holder>) -> Result<Turn, StoreError>;

    /// Replaces an item, all of it or nothing, if it is still `old`, as it was seen; `None` is none. The new
    /// one is kept for `life` at least. Whether it was still `old`.
    fn replace(
        &mut self,
        name: &str,
        item: Item,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        life: Duration,
    ) -> Result<bool, StoreError>;
}
