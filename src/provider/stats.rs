//! What a provider counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a provider did since it was made, and how it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Exchanges because there was no live token.
    pub empty: Exchanges,
    /// Exchanges ahead of a live token's end.
    pub ahead: Exchanges,
    /// Exchanges because `refresh` was called.
    pub refresh: Exchanges,
    /// Exchanges because a token was invalidated.
    pub invalidated: Exchanges,
    /// Callers that waited for an exchange.
    pub waited: u64,
    /// Tokens handed out past their refresh point.
    pub served_stale: u64,
    /// Tokens taken out of use by `invalidate`.
    pub invalidations: u64,
    /// Tokens found in the store.
    pub store_hits: u64,
    /// Exchanges made because the store had no usable token.
    pub store_misses: u64,
    /// How long the token in memory still lives; `None` without one.
    pub expires_in: Option<Duration>,
    /// For how long no exchange is started after a failure; `None` if one may start.
    pub backoff: Option<Duration>,
}

/// Exchanges that have ended, each with all its attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchanges {
    /// Those that brought a token.
    pub succeeded: u64,
    /// Those that did not.
    pub failed: u64,
}

/// Why an exchange is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Empty,
    Ahead,
    Refresh,
    Invalidated,
}

/// A number that only grows.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(super) struct Counters {
    /// By cause; of each, those that succeeded and those that failed.
    exchanges: [[Counter; 2]; 4],
    pub(super) waited: Counter,
    pub(super) served_stale: Counter,
    pub(super) invalidations: Counter,
    pub(super) store_hits: Counter,
    pub(super) store_misses: Counter,
}

impl Counters {
    pub(super) fn exchange(&self, cause: Cause, succeeded: bool) {
        self.exchanges[cause as usize][usize::from(!succeeded)].add_one();
    }

    pub(super) fn stats(&self, expires_in: Option<Duration>, backoff: Option<Duration>) -> Stats {
        let exchanges = |cause: Cause| {
            let [succeeded, failed] = &self.exchanges[cause as usize];
            Exchanges { succeeded: succeeded.get(), failed: failed.get() }
        };
        Stats {
            empty: exchanges(Cause::Empty),
            ahead: exchanges(Cause::Ahead),
            refresh: exchanges(Cause::Refresh),
            invalidated: exchanges(Cause::Invalidated),
            waited: self.waited.get(),
            served_stale: self.served_stale.get(),
            invalidations: self.invalidations.get(),
            store_hits: self.store_hits.get(),
            store_misses: self.store_misses.get(),
            expires_in,
            backoff,
        }
    }
}
