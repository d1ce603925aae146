//! Tells other processes for how long the API is to be spared, since it said so.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::stamp::Stamp;
use crate::backoff;
use crate::error::{Error, ErrorKind};
use crate::request::{Freshness, RequestedWait};
use crate::sys::clock::Moment;
use crate::unix_time::milliseconds;

/// For how long a back-off is kept: it tells the next one how many there were.
pub(super) const BACKOFF_LIFE: Duration = Duration::from_secs(3600);

#[derive(Serialize, Deserialize)]
pub(super) struct BackoffRecord<'a> {
    /// The number of its [`ErrorKind`].
    kind: i32,
    #[serde(borrow)]
    message: Cow<'a, str>,
    status: Option<u16>,
    is_transient: bool,
    /// Whether the API asked for it.
    is_requested: bool,
    /// How many token requests in a row have failed alike.
    count: u32,
    /// When it began, by the clock of the store.
    since: Stamp,
    /// In milliseconds.
    length: u64,
    /// The same for those who pass over what the API asked for: 0 if it has asked just now.
    own: u64,
}

/// Whether an error says something of the API, and not of the way to it or of this process.
pub(super) fn is_from_the_api(error: &Error) -> bool {
    // A 401 or 403 that is not of the secret may be of the address that this host has.
    let is_said_to_all = |status| match status {
        401 | 403 => error.kind() == ErrorKind::Credentials,
        _ => matches!(status, 400 | 429 | 500..=599),
    };
    error.requested_wait().is_some() || error.http_status().is_some_and(is_said_to_all)
}

impl<'a> BackoffRecord<'a> {
    /// From `now` on, after `error`, which followed `last` and does not end a wait that the API asked for then.
    pub(super) fn after(error: &Error, last: Option<&BackoffRecord<'_>>, now: Stamp) -> Self {
        let alike = last.filter(|last| last.is_transient == error.is_transient());
        let count = alike.map_or(1, |last| last.count.saturating_add(1));
        let length = backoff::for_all_processes(error, count);
        let is_requested = error.requested_wait().is_some();
        // What it says last counts.
        let asked_for = last.filter(|last| last.is_requested && !is_requested);
        let asked_for = asked_for.and_then(|last| last.left(last.length, &now));
        let asked_for = asked_for.filter(|left| *left > length);
        let own = if is_requested { 0 } else { milliseconds(length) };
        Self {
            kind: error.kind().number(),
            message: error.to_string().into(),
            status: error.http_status(),
            is_transient: error.is_transient(),
            is_requested: is_requested || asked_for.is_some(),
            count,
            since: now,
            length: milliseconds(asked_for.unwrap_or(length)),
            own,
        }
    }

    /// What stops nobody, and tells those who have another secret which one is refused.
    pub(super) fn notice(now: Stamp) -> Self {
        Self {
            kind: ErrorKind::Credentials.number(),
            message: Cow::Borrowed(""),
            status: Some(401),
            is_transient: false,
            is_requested: false,
            count: 0,
            since: now,
            length: 0,
            own: 0,
        }
    }

    /// Whether the API has refused the secret that seals this.
    pub(super) fn is_refusal(&self) -> bool {
        self.kind == ErrorKind::Credentials.number()
    }

    /// Tells it from those that came before.
    pub(super) fn since(&self) -> u64 {
        self.since.at()
    }

    pub(super) fn write(&self) -> Zeroizing<Vec<u8>> {
        serde_json::to_vec(self).expect("texts and numbers are valid JSON").into()
    }

    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// What is left of so many milliseconds.
    fn left(&self, length: u64, now: &Stamp) -> Option<Duration> {
        // Whoever sealed it: no process that follows the rules says more.
        let length = Duration::from_millis(length).min(backoff::longest_for_all_processes());
        length.checked_sub(now.since(&self.since)?)
    }

    fn is_believed(&self, freshness: &Freshness, now: &Stamp, moment: Moment) -> bool {
        // Whatever the clock of the store says: who plays an old one back keeps nobody waiting again.
        let is_waited_out = freshness.waited_out.is_some_and(|last| self.since.at() <= last);
        // Where either of the two clocks is wrong, a request more is the lesser evil.
        !is_waited_out && now.agrees_with(moment.wall())
    }

    /// What the API asked for, if it is ignored.
    pub(super) fn passed_over(
        &self,
        freshness: &Freshness,
        now: &Stamp,
        moment: Moment,
    ) -> Option<RequestedWait> {
        let is_ignored = self.is_requested && freshness.ignores_retry_after;
        let length = self.left(self.length, now)?;
        (is_ignored && self.is_believed(freshness, now, moment))
            .then_some(RequestedWait { at: moment, length })
    }

    /// The error, if its back-off is not over by the clock of the store, and not of a kind that is ignored.
    pub(super) fn error(
        &self,
        freshness: &Freshness,
        now: &Stamp,
        moment: Moment,
    ) -> Option<Error> {
        let is_requested = self.is_requested && !freshness.ignores_retry_after;
        let is_ignored = !is_requested && freshness.ignores_backoff;
        let left = self.left(if is_requested { self.length } else { self.own }, now)?;
        let age = now.since(&self.since)?;
        if left.is_zero() || is_ignored || !self.is_believed(freshness, now, moment) {
            return None;
        }
        let error = Error::new(ErrorKind::from_number(self.kind)?, self.message.clone())
            .with_another_attempt(self.is_transient)
            .with_requested_wait(is_requested.then_some(left))
            .with_backoff(Some(left))
            .with_told(age);
        Some(match self.status {
            Some(status) => error.with_http_status(status),
            None => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Stamp {
        Stamp::new("a clock", Duration::from_secs(seconds))
    }

    fn failure(status: u16) -> Error {
        let kind = match status {
            401 | 403 => ErrorKind::Credentials,
            503 => ErrorKind::Server,
            _ => ErrorKind::Rejected,
        };
        Error::new(kind, "it failed").with_http_status(status)
    }

    fn after<'a>(error: &Error, last: Option<&BackoffRecord<'_>>, now: Stamp) -> BackoffRecord<'a> {
        BackoffRecord::after(error, last, now)
    }

    fn left(record: &BackoffRecord<'_>, freshness: &Freshness, now: &Stamp) -> Option<Duration> {
        record.error(freshness, now, Moment::at(0.0, 1e9)).map(|error| error.retry_after().unwrap())
    }

    #[test]
    fn a_back_off_is_never_longer_than_its_length() {
        let record = after(&failure(400), None, at(1000));
        let any = Freshness::default();
        let whole = left(&record, &any, &at(1000)).unwrap();
        assert!(whole <= Duration::from_secs(30), "{whole:?}");
        assert!(left(&record, &any, &at(1010)).unwrap() <= whole - Duration::from_secs(10));
        for now in [at(999), at(0), at(1031), Stamp::new("another", Duration::from_secs(1000))] {
            assert_eq!(left(&record, &any, &now), None, "{now:?}");
        }
    }

    /// Such as one that was forged by who has a secret that was revoked.
    #[test]
    fn a_back_off_is_never_longer_than_the_policys_longest() {
        let year = 365 * 86_400;
        for is_requested in [false, true] {
            let last = after(&failure(400), None, at(1000));
            let (length, own) = (year * 1000, year * 1000);
            let record = BackoffRecord { length, own, is_requested, ..last };
            let longest = left(&record, &Freshness::default(), &at(1000)).unwrap();
            assert_eq!(longest, backoff::longest_for_all_processes());
            assert_eq!(left(&record, &Freshness::default(), &at(1000 + year / 2)), None);
        }
        let wait = Some(backoff::LONGEST);
        let longest = after(&failure(503).with_requested_wait(wait), None, at(0));
        assert!(left(&longest, &Freshness::default(), &at(0)).unwrap() >= backoff::LONGEST);
    }

    #[test]
    fn a_failure_during_a_wait_that_the_api_asked_for_does_not_end_it() {
        let wait = Some(Duration::from_secs(200));
        let asked = after(&failure(503).with_requested_wait(wait), None, at(1000));
        let (next, any) = (after(&failure(400), Some(&asked), at(1100)), Freshness::default());
        assert_eq!(left(&next, &any, &at(1100)), left(&asked, &any, &at(1100)));
        let expiring = Freshness { ignores_retry_after: true, ..Freshness::default() };
        let own = left(&next, &expiring, &at(1100)).unwrap();
        assert!(own <= Duration::from_secs(30), "{own:?}");
        assert_eq!(left(&asked, &expiring, &at(1100)), None);
        let short = failure(503).with_requested_wait(Some(Duration::from_secs(5)));
        let newer = after(&short, Some(&asked), at(1100));
        assert!(left(&newer, &any, &at(1100)).unwrap() <= Duration::from_secs(30));
        let later = after(&failure(400), Some(&next), at(1230));
        assert!(left(&later, &expiring, &at(1230)).unwrap() <= Duration::from_secs(60));
    }

    #[test]
    fn a_wait_is_passed_over_by_whoever_may_and_believes_it() {
        let wait = Some(Duration::from_secs(200));
        let asked = after(&failure(503).with_requested_wait(wait), None, at(1000));
        let own = after(&failure(400), None, at(1000));
        let may = Freshness { ignores_retry_after: true, ..Freshness::default() };
        let has = Freshness { waited_out: Some(asked.since()), ..may.clone() };
        let passed_over = |record: &BackoffRecord<'_>, freshness: &Freshness| {
            let found = record.passed_over(freshness, &at(1000), Moment::at(0.0, 1e9));
            found.map(|wait| wait.length)
        };
        assert!(passed_over(&asked, &may) >= wait);
        assert_eq!(passed_over(&asked, &Freshness::default()), None);
        assert_eq!(passed_over(&own, &may), None);
        assert_eq!(passed_over(&asked, &has), None);
    }

    /// A store that stands still, or plays an old one back.
    #[test]
    fn what_was_waited_out_is_over_whatever_the_clock_says() {
        let record = after(&failure(400), None, at(1000));
        let next = after(&failure(400), Some(&record), at(1030));
        let waited = Freshness { waited_out: Some(record.since()), ..Freshness::default() };
        assert_eq!(left(&record, &waited, &at(1000)), None);
        assert!(left(&next, &waited, &at(1030)).is_some());
    }

    /// A store whose clock stands still, for whoever plays an old one back.
    #[test]
    fn a_store_that_shows_another_time_than_the_host_is_not_believed() {
        let then = Stamp::unix(Duration::from_secs(1_000_000_000));
        let record = after(&failure(400), None, then.clone());
        let is_believed =
            |wall| record.error(&Freshness::default(), &then, Moment::at(0.0, wall)).is_some();
        assert!(is_believed(1e9 - 59.0) && is_believed(1e9 + 59.0));
        assert!(!is_believed(1e9 - 61.0) && !is_believed(1e9 + 61.0));
    }

    #[test]
    fn a_notice_of_a_refusal_stops_nobody() {
        let notice = BackoffRecord::notice(at(1000));
        assert!(notice.is_refusal() && !after(&failure(503), None, at(1000)).is_refusal());
        assert_eq!(left(&notice, &Freshness::default(), &at(1000)), None);
    }

    #[test]
    fn each_kind_of_failure_is_counted_by_itself() {
        let mut last = after(&failure(503), None, at(0));
        for _ in 0..4 {
            last = after(&failure(503), Some(&last), at(0));
        }
        let other = after(&failure(400), Some(&last), at(0));
        assert_eq!((last.count, other.count), (5, 1));
    }

    #[test]
    fn only_what_the_api_said_is_shared() {
        for status in [400, 401, 403, 429, 500, 503, 599] {
            assert!(is_from_the_api(&failure(status)), "{status}");
        }
        for status in [200, 404, 407, 408] {
            assert!(!is_from_the_api(&failure(status)), "{status}");
        }
        // A firewall's, without a word of the API.
        assert!(!is_from_the_api(&Error::new(ErrorKind::Rejected, "no").with_http_status(403)));
        for kind in [ErrorKind::Timeout, ErrorKind::Tls, ErrorKind::Transport] {
            assert!(!is_from_the_api(&Error::new(kind, "on the way")));
        }
        let asked = Error::new(ErrorKind::RateLimited, "later");
        assert!(is_from_the_api(&asked.with_requested_wait(Some(Duration::from_secs(1)))));
    }
}
