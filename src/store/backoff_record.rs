//! Tells other processes of a failed token request: they do not try again before its back-off is over.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::request::Freshness;
use crate::sys::clock::Moment;
use crate::unix_time::{milliseconds, since_1970};

/// A longer pause does not come from this library: 300 s that the server asked for, and jitter.
const LONGEST: Duration = Duration::from_secs(333);

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct BackoffRecord<'a> {
    /// The number of its [`ErrorKind`].
    kind: i32,
    #[serde(borrow)]
    message: Cow<'a, str>,
    status: Option<u16>,
    is_transient: bool,
    /// Whether the server asked for it.
    is_named: bool,
    /// How many token requests in a row have failed.
    count: u32,
    /// In milliseconds since 1970.
    until: u64,
}

impl<'a> BackoffRecord<'a> {
    /// After `error`, which followed the failure of `last`; `length` gives the pause after so many
    /// failures.
    pub(super) fn after(
        error: &Error,
        last: Option<&BackoffRecord<'_>>,
        length: impl FnOnce(u32) -> Duration,
        now: Moment,
    ) -> BackoffRecord<'static> {
        let count = last.map_or(1, |last| last.count.saturating_add(1));
        BackoffRecord {
            kind: error.kind().number(),
            message: error.to_string().into(),
            status: error.http_status(),
            is_transient: error.is_transient(),
            is_named: error.requested_wait().is_some(),
            count,
            until: milliseconds(since_1970(now.wall()) + length(count).min(LONGEST)),
        }
    }

    pub(super) fn write(&self) -> Zeroizing<Vec<u8>> {
        serde_json::to_vec(self).expect("texts and numbers are valid JSON").into()
    }

    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// In milliseconds since 1970.
    pub(super) fn until(&self) -> u64 {
        self.until
    }

    /// The failure, if its pause is not over, and not of a kind that is ignored.
    pub(super) fn error(&self, freshness: &Freshness, now: Moment) -> Option<Error> {
        let left = Duration::from_millis(self.until).saturating_sub(since_1970(now.wall()));
        if left.is_zero() || left > LONGEST || self.is_ignored(freshness) {
            return None;
        }
        let error = Error::new(ErrorKind::from_number(self.kind)?, self.message.clone())
            .with_another_attempt(self.is_transient)
            .with_requested_wait(self.is_named.then_some(left));
        Some(match self.status {
            Some(status) => error.with_http_status(status),
            None => error,
        })
    }

    fn is_ignored(&self, freshness: &Freshness) -> bool {
        if self.is_named { freshness.ignores_retry_after } else { freshness.ignores_backoff }
    }
}
