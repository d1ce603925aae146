//! What a provider remembers from one exchange to the next.

use std::time::Duration;

use super::policy::{Failure, Held};
use crate::sys::clock::Moment;
use crate::{Error, random};

#[derive(Default)]
pub(super) struct Memory {
    failed: Option<Failed>,
    /// Whether the token in use was taken out of use because of a 401.
    pub(super) invalidated: bool,
    /// The hash of the last one that was.
    pub(super) refused: Option<[u8; 32]>,
    /// When such a token was last replaced by an exchange.
    forced: Option<Moment>,
}

struct Failed {
    error: Error,
    at: Moment,
    count: u32,
    at_ease: bool,
    jitter: f64,
}

impl Memory {
    /// `exchanged` says whether the token comes from an exchange, and not from a store.
    pub(super) fn succeeded(&mut self, exchanged: bool, now: Moment) {
        self.failed = None;
        if std::mem::take(&mut self.invalidated) && exchanged {
            self.forced = Some(now);
        }
    }

    /// `held` is the token that was in use when the exchange failed.
    pub(super) fn failed(&mut self, error: Error, held: Option<Held>, now: Moment) {
        let at_ease = held.is_some_and(|held| held.is_at_ease());
        let alike = |last: &Failed| {
            last.at_ease == at_ease && last.error.is_transient() == error.is_transient()
        };
        let count = self.failed.take().filter(alike).map_or(1, |last| last.count.saturating_add(1));
        self.failed = Some(Failed { error, at: now, count, at_ease, jitter: random::upper_half() });
    }

    /// The last exchange, if it failed, as the policy sees it.
    pub(super) fn failure(&self, now: Moment) -> Option<Failure> {
        self.failed.as_ref().map(|failed| Failure {
            count: failed.count,
            transient: failed.error.is_transient(),
            named_wait: failed.error.retry_after(),
            at_ease: failed.at_ease,
            jitter: failed.jitter,
            age: now.since(failed.at),
        })
    }

    /// Its error, for a caller that is to come back after `pause`.
    pub(super) fn error(&self, pause: Duration) -> Error {
        let failed = self.failed.as_ref().expect("a pause follows a failure");
        failed.error.clone().with_retry_after(Some(pause))
    }

    /// How long ago a token was replaced because of a 401.
    pub(super) fn since_forced(&self, now: Moment) -> Option<Duration> {
        self.forced.map(|at| now.since(at))
    }
}

/// The pause after an error that was the last of so many in a row, for all processes that share a store:
/// one that some of them, who have no token, can bear.
pub(super) fn shared_pause(error: &Error, count: u32) -> Duration {
    let failure = Failure {
        count,
        transient: error.is_transient(),
        named_wait: error.retry_after(),
        at_ease: false,
        jitter: random::upper_half(),
        age: Duration::ZERO,
    };
    failure.pause(None)
}
