//! Defines what a store must be able to do.

use std::time::Duration;

use super::StoreError;

/// What is kept for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Token,
    /// The last token request, if it failed.
    Failure,
    /// What stands for a token when the store is probed.
    Probe,
}

/// A sealed item.
pub(super) struct StoredItem {
    pub(super) blob: Vec<u8>,
    /// For how long the store will still keep it, if it says so.
    pub(super) left: Option<Duration>,
}

/// A place that several processes use.
pub(super) trait Backend: Send + Sync {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError>;

    /// Where it is, for people.
    fn location(&self) -> String;
}

/// The use of a store for one token request. What it locked is free again when it is dropped.
pub(super) trait Session {
    fn load(&mut self, item: Item) -> Result<Option<StoredItem>, StoreError>;

    /// Replaces an item, all of it or nothing, by one that is wanted for so long. `sent` is when that was
    /// sent for, in milliseconds since 1970: where more than one may write at a time, an older token does not
    /// replace a newer one.
    fn save(
        &mut self,
        item: Item,
        blob: &[u8],
        sent: u64,
        life: Duration,
    ) -> Result<(), StoreError>;

    fn erase(&mut self, item: Item) -> Result<(), StoreError>;

    /// Whether this process is the one to make a token request. The lock is taken back when the process dies.
    fn try_lock(&mut self) -> Result<bool, StoreError>;
}
