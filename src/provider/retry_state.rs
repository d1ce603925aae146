//! Remembers what counts from one token request to the next.

use std::time::{Duration, Instant};

use super::policy::{self, LastFailure, TokenAge};
use crate::error::{Error, ErrorKind};
use crate::interface::Cause;
use crate::random;
use crate::request::{Refused, RequestedWait};
use crate::sys::clock::Moment;
use crate::token::AccessToken;

/// Between two looks into the store during a back-off.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
pub(super) struct RetryState {
    failed: Option<Failed>,
    /// The last wait that the server asked for, since there was a token.
    requested_wait: Option<RequestedWait>,
    /// Whether the one request in spite of it, in the last part of a token, is still to be made.
    may_pass: bool,
    /// Whether the token in use was taken out of use because of a 401.
    pub(super) invalidated: bool,
    /// The last ones that were.
    pub(super) refused: Refused,
    /// The last replacement of such a token: when it was seen, and how old it was then.
    forced: Option<(Moment, Duration)>,
    /// When a request was last sent although the server had asked to wait.
    overrode: Option<Moment>,
    /// When the client secret was last read again during a back-off.
    reread: Option<Moment>,
    /// When the work was started whose thread was given up in the store, and has not come back.
    pub(super) hangs_in_store: Option<Instant>,
    /// When the store last failed.
    pub(super) store_failed: Option<Moment>,
    /// When the last back-off of another process began that was found, by the clock of the store.
    pub(super) waited_out: Option<u64>,
    /// When the store was last looked at during a back-off.
    looked: Option<Moment>,
}

#[derive(Clone)]
struct Failed {
    cause: Cause,
    error: Error,
    at: Moment,
    count: u32,
    before_margin: bool,
    /// The back-off of another process, if that is what there is.
    shared: Option<Duration>,
    jitter: f64,
}

impl RetryState {
    /// What a forked child remembers: which token was refused, and for how long the server asked to wait.
    pub(super) fn in_child(&self, now: Moment) -> Self {
        // What the parent waits for besides is its own.
        let failed = self.failed.clone().filter(|_| !self.left_to_wait(now).is_zero());
        let failed = failed.map(|failed| Failed { count: 0, shared: None, ..failed });
        Self { failed, hangs_in_store: None, waited_out: None, ..self.clone() }
    }

    /// `requested` says whether the token comes from a token request, and not from a store.
    pub(super) fn succeeded(&mut self, token: &AccessToken, requested: bool, now: Moment) {
        self.failed = None;
        self.requested_wait = None;
        let was_invalidated = std::mem::take(&mut self.invalidated);
        if token.is_replacement() || was_invalidated && requested {
            self.forced = Some((now, token.age(now)));
        }
    }

    /// Notes that the API refused the token in use.
    pub(super) fn refuse(&mut self, token: &AccessToken) {
        self.invalidated = true;
        self.refused.add(token);
    }

    /// `age` is that of the token that was in use when the request failed; `sent` says whether it failed after it had
    /// been begun. Gives the error for those that waited.
    pub(super) fn failed(
        &mut self,
        cause: Cause,
        error: &Error,
        age: Option<TokenAge>,
        sent: bool,
        now: Moment,
    ) -> Error {
        let before_margin = age.is_some_and(|age| age.is_before_margin());
        let alike = |last: &Failed| {
            last.before_margin == before_margin && last.error.is_transient() == error.is_transient()
        };
        let last = self.failed.take().filter(alike);
        // A request in spite of a wait that the server asked for does not end it, unless it asks for another.
        self.may_pass &= before_margin || !sent;
        if let Some(wait) = error.requested_wait() {
            self.wait_for(random::spread(wait), before_margin, now);
        }
        let failed = Failed {
            cause,
            error: error.clone(),
            at: now,
            count: last.map_or(1, |last| last.count.saturating_add(1)),
            before_margin,
            shared: None,
            jitter: random::upper_half(),
        };
        self.note(failed, age, now)
    }

    fn wait_for(&mut self, length: Duration, may_pass: bool, now: Moment) {
        self.requested_wait = Some(RequestedWait { at: now, length });
        self.may_pass = may_pass;
    }

    /// Notes a wait that another process was asked for and this one has passed over; `is_refresh` says whether it did so
    /// because a token request was asked for.
    pub(super) fn pass_over(&mut self, wait: RequestedWait, is_refresh: bool, now: Moment) {
        let (known, left) = (self.left_to_wait(now), wait.left(now));
        if left > known {
            self.wait_for(left, known.is_zero() || self.may_pass, now);
        }
        if is_refresh && known.is_zero() {
            self.overrode = Some(wait.at);
        }
    }

    /// What is left of a wait that the server asked for.
    fn left_to_wait(&self, now: Moment) -> Duration {
        self.requested_wait.map_or(Duration::ZERO, |wait| wait.left(now))
    }

    /// As [`failed`](Self::failed), for the failure of another process, which the store tells: it is none
    /// of this one's own, and its back-off is as long as that one's.
    pub(super) fn found(
        &mut self,
        cause: Cause,
        error: &Error,
        since: u64,
        age: Option<TokenAge>,
        now: Moment,
    ) -> Error {
        self.waited_out = Some(since);
        // No request was made: that of the last part is still to come.
        let shared = match error.requested_wait() {
            Some(wait) => {
                self.wait_for(wait, true, now);
                Duration::ZERO
            }
            None => error.retry_after().unwrap_or_default(),
        };
        let failed = Failed {
            cause,
            error: error.clone(),
            at: now,
            count: self.failed.take().map_or(0, |last| last.count),
            before_margin: age.is_some_and(|age| age.is_before_margin()),
            shared: Some(shared),
            jitter: 1.0,
        };
        self.note(failed, age, now)
    }

    fn note(&mut self, failed: Failed, age: Option<TokenAge>, now: Moment) -> Error {
        let pause = self.as_failure(&failed, now).pause(age);
        self.failed = Some(failed);
        self.error(pause, now)
    }

    fn as_failure(&self, failed: &Failed, now: Moment) -> LastFailure {
        LastFailure {
            count: if failed.shared.is_some() { 0 } else { failed.count },
            transient: failed.error.is_transient(),
            requested_wait: self.left_to_wait(now),
            may_pass: self.may_pass,
            shared: failed.shared.unwrap_or_default(),
            before_margin: failed.before_margin,
            jitter: failed.jitter,
            age: now.since(failed.at),
        }
    }

    /// The last token request, if it failed, as the policy sees it.
    pub(super) fn failure(&self, now: Moment) -> Option<LastFailure> {
        self.failed.as_ref().map(|failed| self.as_failure(failed, now))
    }

    /// Why it was made, and its error for who has a token of this age.
    pub(super) fn last_failure(
        &self,
        now: Moment,
        age: Option<TokenAge>,
    ) -> Option<(Cause, Error)> {
        let failed = self.failed.as_ref()?;
        Some((failed.cause, self.error(self.as_failure(failed, now).pause(age), now)))
    }

    /// Its error, for a caller that is to come back after `pause`.
    pub(super) fn error(&self, pause: Duration, now: Moment) -> Error {
        let failed = self.failed.as_ref().expect("a pause follows a failure");
        let error = failed.error.clone().with_backoff(Some(pause));
        match failed.error.told() {
            Some(ago) => error.with_told(ago + now.since(failed.at)),
            None => error,
        }
    }

    /// Whether the API's 401 may lead to a token request.
    pub(super) fn may_force(&self, now: Moment) -> bool {
        policy::may_repeat(self.forced.map(|(seen, age)| now.since(seen) + age))
    }

    /// Whether a token request that was asked for may be made in spite of a wait that the server asked for;
    /// if so, none for a while.
    pub(super) fn override_requested_wait(&mut self, now: Moment) -> bool {
        let may = policy::may_repeat(self.overrode.map(|at| now.since(at)));
        self.overrode = if may { Some(now) } else { self.overrode };
        may
    }

    /// Whether it is time to see if another process has stored a token; if so, not again for a while.
    pub(super) fn look_into_store(&mut self, now: Moment) -> bool {
        let since = self.looked.map(|at| now.since(at));
        let is_time = policy::may_repeat(self.store_failed.map(|at| now.since(at)))
            && self.hangs_in_store.is_none()
            && since.is_none_or(|since| since >= BETWEEN_LOOKS);
        self.looked = if is_time { Some(now) } else { self.looked };
        is_time
    }

    /// Whether it is time to see if there is another client secret, since a wait may be for nothing; if
    /// so, not again for a while.
    pub(super) fn reread_secret(&mut self, now: Moment) -> bool {
        let Some(failed) = &self.failed else { return false };
        let may_help =
            failed.error.kind() == ErrorKind::Credentials || !self.left_to_wait(now).is_zero();
        let ages = [Some(failed.at), self.reread].into_iter().flatten().map(|at| now.since(at));
        let is_time = may_help && policy::may_repeat(ages.min());
        self.reread = if is_time { Some(now) } else { self.reread };
        is_time
    }
}
