//! Decides what a caller gets, and when a token request is due: pure arithmetic over plain values, without a
//! clock, a lock or I/O. `docs/lifetime.md` has the same rules in a user's words.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::backoff;
use crate::token;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The longest that a caller with a valid token waits for its successor.
const LONGEST_GRACE: Duration = SECOND;
/// The shortest wait between two token requests ahead of a valid token's end.
const SHORTEST_PROACTIVE_BACKOFF: Duration = Duration::from_millis(500);
/// The shortest time between two exceptions of a kind; see [`may_repeat`].
const BETWEEN_EXCEPTIONS: Duration = token::BETWEEN_REPLACEMENTS;

/// When a token of some lifetime is to be renewed, as ages of the token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// From here on the token is renewed in the background.
    refresh: Duration,
    /// From here on callers wait a little for its successor.
    margin: Duration,
    /// From here on the token has expired.
    deadline: Duration,
}

impl Schedule {
    /// `random` in [0, 1) keeps processes that started together from renewing together. The refresh
    /// point of a token that is `age` old is still to come, if it can be.
    pub(crate) fn new(lifetime: Duration, age: Duration, random: f64) -> Self {
        let longest = (lifetime / 8).clamp(MINUTE, HOUR).min(lifetime / 2);
        let shortest = longest / 2;
        let longest = longest.min(lifetime.saturating_sub(age)).max(shortest);
        let ahead = shortest + (longest - shortest).mul_f64(random);
        let margin = lifetime - token::margin(lifetime);
        Self { refresh: lifetime - ahead, margin, deadline: lifetime }
    }

    /// The age up to which the token is fresh.
    pub(crate) fn refresh(&self) -> Duration {
        self.refresh
    }
}

/// A token as the policy sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenAge {
    pub(crate) elapsed: Duration,
    pub(crate) schedule: Schedule,
}

impl TokenAge {
    /// Whether the token is handed out, whatever else is the case.
    pub(crate) fn is_fresh(&self) -> bool {
        self.elapsed < self.schedule.refresh
    }

    /// Whether the token is neither fresh nor about to die.
    pub(crate) fn is_stale(&self) -> bool {
        !self.is_fresh() && self.is_before_margin()
    }

    /// Whether the token's last part has not begun.
    pub(crate) fn is_before_margin(&self) -> bool {
        self.elapsed < self.schedule.margin
    }

    /// For how long the token is still fresh.
    fn until_refresh(&self) -> Duration {
        self.schedule.refresh.saturating_sub(self.elapsed)
    }

    pub(crate) fn until_margin(&self) -> Duration {
        self.schedule.margin.saturating_sub(self.elapsed)
    }

    /// For how long nothing is lost by waiting for another process: until the last part begins, or in it
    /// until the end.
    pub(crate) fn max_wait(&self) -> Duration {
        if self.is_before_margin() { self.until_margin() } else { self.until_expiry() }
    }

    pub(crate) fn until_expiry(&self) -> Duration {
        self.schedule.deadline.saturating_sub(self.elapsed)
    }

    pub(crate) fn lives(&self) -> bool {
        self.elapsed < self.schedule.deadline
    }
}

/// The last token request, if it failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastFailure {
    /// How many token requests of this process in a row have failed alike.
    pub(crate) count: u32,
    /// Whether the next one may go better with nothing changed.
    pub(crate) transient: bool,
    /// For how much longer no request is sent because the server asked for it, jitter included.
    pub(crate) requested_wait: Duration,
    /// Whether the one request in spite of that, in the last part of a token, is still to be made.
    pub(crate) may_pass: bool,
    /// For how long another process's back-off was to last when it was found.
    pub(crate) shared: Duration,
    /// Whether a token was in use whose last part had not begun.
    pub(crate) before_margin: bool,
    /// A number in [0.5, 1).
    pub(crate) jitter: f64,
    /// How long ago it was.
    pub(crate) age: Duration,
}

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The token, and that is all.
    Serve,
    /// The token, and a token request is started in the background.
    ServeAndRefresh,
    /// The outcome of a token request if it comes within this time, else the old token.
    WaitAtMost(Duration),
    /// The outcome of a token request.
    Wait,
    /// The error of the last token request; the next is due after this time.
    Fail(Duration),
}

impl Decision {
    pub(crate) fn needs_request(self) -> bool {
        !matches!(self, Self::Serve | Self::Fail(_))
    }
}

pub(crate) fn decide(token: Option<TokenAge>, failure: Option<LastFailure>) -> Decision {
    let pause = failure.map_or(Duration::ZERO, |failure| failure.pause(token));
    let Some(age) = token.filter(TokenAge::lives) else {
        return if pause.is_zero() { Decision::Wait } else { Decision::Fail(pause) };
    };
    if age.is_fresh() || !pause.is_zero() {
        Decision::Serve
    } else if age.is_before_margin() {
        Decision::ServeAndRefresh
    } else {
        Decision::WaitAtMost(LONGEST_GRACE.min(age.until_expiry() / 2))
    }
}

/// In how long [`decide`] will next have a token request started, if nothing else happens.
pub(crate) fn until_request(token: Option<TokenAge>, failure: Option<LastFailure>) -> Duration {
    let pause = failure.map_or(Duration::ZERO, |failure| failure.pause(token));
    pause.max(token.map_or(Duration::ZERO, |age| age.until_refresh()))
}

impl LastFailure {
    /// How much longer no token request is started.
    pub(crate) fn pause(&self, token: Option<TokenAge>) -> Duration {
        let own = self.own_pause(token);
        // Unless the token expires before there could be a request in its last part.
        let passes = token.filter(|age| self.may_pass && own < age.until_expiry());
        let longest = passes.map_or(Duration::MAX, |age| age.until_margin());
        own.max(self.requested_wait.min(longest))
    }

    /// The same without what the server asked for.
    fn own_pause(&self, token: Option<TokenAge>) -> Duration {
        let shared = self.shared.saturating_sub(self.age);
        let Some(age) = token.filter(|_| self.before_margin) else {
            return shared.max(self.own_wait().saturating_sub(self.age));
        };
        let until_margin = age.until_margin();
        let mut wait =
            backoff::doubled(30 * SECOND, backoff::LONGEST, self.count).mul_f64(self.jitter);
        if self.transient {
            // An outage that ends in time is to be over before the last part begins.
            wait = wait.min(((until_margin + self.age) / 4).max(SHORTEST_PROACTIVE_BACKOFF));
        }
        // Never so long that the last part of a token is slept through.
        shared.max(wait.saturating_sub(self.age)).min(until_margin)
    }

    /// From the failure on, without a token or in its last part.
    fn own_wait(&self) -> Duration {
        backoff::without_token(self.transient, self.count).mul_f64(self.jitter)
    }
}

/// Whether an exception may be made, so long after the last one of its kind: a request because of the
/// API's 401, a request in spite of a wait that the server asked for, or a look for another secret.
pub(crate) fn may_repeat(since_last: Option<Duration>) -> bool {
    since_last.is_none_or(|since| since >= BETWEEN_EXCEPTIONS)
}
