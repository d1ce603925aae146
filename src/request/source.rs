//! Says where a token may come from, and what is told on the way.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::interrupt::Interrupt;
use super::limits::RenewalLimit;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::interface::EventKind;
use crate::sys::clock::Clock;
use crate::token::AccessToken;

/// Gets a token: from the API, or around another source. [`Progress`] tells from where, of a failure too.
pub(crate) trait TokenSource {
    /// Blocks, so it is for a thread of the library.
    fn fetch(&self, context: &FetchContext<'_>) -> Result<AccessToken, Error>;
}

/// What a token is fetched for, and what there is to tell of it.
pub(crate) struct FetchContext<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) freshness: Freshness,
    /// For the renewal of a token that is not about to expire.
    pub(crate) limit: Option<RenewalLimit>,
    pub(crate) clock: &'a Clock,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
    events: RefCell<Vec<(EventKind, String)>>,
}

impl<'a> FetchContext<'a> {
    pub(crate) fn new(
        credentials: &'a Credentials,
        clock: &'a Clock,
        interrupt: &'a Interrupt,
        progress: &'a Progress,
    ) -> Self {
        let (freshness, limit, events) = (Freshness::default(), None, RefCell::default());
        Self { credentials, freshness, limit, clock, interrupt, progress, events }
    }

    pub(crate) fn with(self, freshness: Freshness, limit: Option<RenewalLimit>) -> Self {
        Self { freshness, limit, ..self }
    }

    pub(crate) fn report(&self, kind: EventKind, message: impl Into<String>) {
        self.events.borrow_mut().push((kind, message.into()));
    }

    pub(crate) fn take_events(&self) -> Vec<(EventKind, String)> {
        self.events.take()
    }
}

/// Which token that was got before will do.
#[derive(Clone, Copy, Default)]
pub(crate) struct Freshness {
    /// One younger than this: none that is held already, or none that was there before `refresh`.
    pub(crate) younger_than: Option<Duration>,
    /// Not these, by their hashes: the one that is held already, and one that the API refused.
    pub(crate) not: [Option<[u8; 32]>; 2],
    /// Whether other processes' own back-off is no reason to wait.
    pub(crate) ignores_backoff: bool,
    /// Whether a wait that the server asked another process for is none.
    pub(crate) ignores_retry_after: bool,
    /// For how long to wait for another process, if that is less than for a token request.
    pub(crate) max_wait: Option<Duration>,
}

/// How far it is, for other threads.
#[derive(Default)]
pub(crate) struct Progress {
    requested: AtomicBool,
    in_store: AtomicBool,
}

impl Progress {
    /// Whether a request to the API was begun.
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    pub(super) fn requests(&self) {
        self.requested.store(true, Ordering::Relaxed);
    }

    /// Whether a store is being used.
    pub(crate) fn is_in_store(&self) -> bool {
        self.in_store.load(Ordering::Relaxed)
    }

    pub(crate) fn uses_store(&self, uses: bool) {
        self.in_store.store(uses, Ordering::Relaxed);
    }
}
