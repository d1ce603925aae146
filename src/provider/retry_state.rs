//! Remembers what counts from one token request to the next.

use std::time::{Duration, Instant};

use super::policy::{self, LastFailure, TokenAge};
use crate::error::{Error, ErrorKind};
use crate::interface::Cause;
use crate::random;
use crate::request::Refused;
use crate::sys::clock::Moment;
use crate::token::AccessToken;

/// Between two looks into the store during a back-off.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
pub(super) struct RetryState {
    failed: Option<Failed>,
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
    requested_wait: Option<Duration>,
    /// The back-off of another process, if that is what there is.
    shared: Option<Duration>,
    jitter: f64,
}

impl Failed {
    fn as_failure(&self, now: Moment) -> LastFailure {
        LastFailure {
            count: if self.shared.is_some() { 0 } else { self.count },
            transient: self.error.is_transient(),
            requested_wait: self.requested_wait,
            shared: self.shared.unwrap_or_default(),
            before_margin: self.before_margin,
            jitter: self.jitter,
            age: now.since(self.at),
        }
    }
}

impl RetryState {
    /// What a forked child remembers: which token was refused, and for how long the server asked to wait.
    pub(super) fn in_child(&self) -> Self {
        let asked_to_wait = self.failed.clone().filter(|failed| failed.requested_wait.is_some());
        Self { failed: asked_to_wait, hangs_in_store: None, ..self.clone() }
    }

    /// `requested` says whether the token comes from a token request, and not from a store.
    pub(super) fn succeeded(&mut self, token: &AccessToken, requested: bool, now: Moment) {
        self.failed = None;
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
        let last = self.failed.take();
        // A request in spite of the wait that the server asked for does not end it, unless it asks for another. One that
        // was never sent is not the one that is made in the last part of a token.
        let left = last.as_ref().map(|last| last.as_failure(now).remaining_retry_after());
        let is_kept = sent || age.is_none() || before_margin;
        let left = left.filter(|left| is_kept && !left.is_zero());
        let last = last.filter(alike);
        let failed = Failed {
            cause,
            error: error.clone(),
            at: now,
            count: last.map_or(1, |last| last.count.saturating_add(1)),
            before_margin,
            requested_wait: error.requested_wait().map(random::spread).or(left),
            shared: None,
            jitter: random::upper_half(),
        };
        self.note(failed, age, now)
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
        let failed = Failed {
            cause,
            error: error.clone(),
            at: now,
            count: self.failed.take().map_or(0, |last| last.count),
            before_margin: age.is_some_and(|age| age.is_before_margin()),
            requested_wait: error.requested_wait(),
            shared: error.retry_after(),
            jitter: 1.0,
        };
        self.note(failed, age, now)
    }

    fn note(&mut self, failed: Failed, age: Option<TokenAge>, now: Moment) -> Error {
        let pause = failed.as_failure(now).pause(age);
        self.failed = Some(failed);
        self.error(pause, now)
    }

    /// The last token request, if it failed, as the policy sees it.
    pub(super) fn failure(&self, now: Moment) -> Option<LastFailure> {
        self.failed.as_ref().map(|failed| failed.as_failure(now))
    }

    /// Why it was made, and its error for who has a token of this age.
    pub(super) fn last_failure(
        &self,
        now: Moment,
        age: Option<TokenAge>,
    ) -> Option<(Cause, Error)> {
        let failed = self.failed.as_ref()?;
        Some((failed.cause, self.error(failed.as_failure(now).pause(age), now)))
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
            failed.error.kind() == ErrorKind::Credentials || failed.requested_wait.is_some();
        let ages = [Some(failed.at), self.reread].into_iter().flatten().map(|at| now.since(at));
        let is_time = may_help && policy::may_repeat(ages.min());
        self.reread = if is_time { Some(now) } else { self.reread };
        is_time
    }
}
