//! A caller's wait for an exchange.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::shared::{Exchange, Outcome, Shared};
use crate::{AccessToken, Error, ErrorKind};

/// A token, or the wait for one.
pub(crate) enum Answer {
    Token(Arc<AccessToken>),
    Pending(Pending),
}

/// A wait that any number of calls may go on with. Dropping it harms nobody else's.
pub(crate) struct Pending {
    shared: Arc<Shared>,
    exchange: Arc<Exchange>,
    /// When a caller with a live token takes that.
    grace: Option<Instant>,
    /// How long the caller will wait, and until when.
    patience: Option<(Duration, Instant)>,
}

impl Pending {
    /// With a `grace` the caller has a live token, and waits no longer than this for the next.
    pub(super) fn new(
        shared: &Arc<Shared>,
        exchange: Arc<Exchange>,
        grace: Option<Duration>,
    ) -> Self {
        Self { shared: shared.clone(), exchange, grace: grace.and_then(after), patience: None }
    }

    /// Ends the wait after `patience`, if not before.
    pub(super) fn within(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience.and_then(|patience| Some((patience, after(patience)?)));
        self
    }

    /// When the wait ends at the latest, as it looks now: the grace is over with the live token.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let grace = self.grace.filter(|_| self.shared.peek().is_some());
        let patience = self.patience.map(|(_, until)| until);
        grace.into_iter().chain(patience).min()
    }

    /// Blocks until the wait ends.
    pub(crate) fn wait(&self) -> Outcome {
        loop {
            let outcome = self.exchange.wait(self.deadline());
            if outcome.is_some() || self.is_late() {
                return self.judge(outcome);
            }
        }
    }

    /// Blocks for a while; `None` if the wait goes on.
    pub(crate) fn wait_for(&self, slice: Duration) -> Option<Outcome> {
        let until = self.deadline().into_iter().chain(after(slice)).min();
        let outcome = self.exchange.wait(until);
        (outcome.is_some() || self.is_late()).then(|| self.judge(outcome))
    }

    /// The outcome; `None` if the wait goes on.
    pub(crate) fn poll(&self) -> Option<Outcome> {
        self.wait_for(Duration::ZERO)
    }

    /// Wakes `waker` when the exchange ends. The [`deadline`](Self::deadline) is for the caller to
    /// watch.
    pub(crate) fn wake(&self, waker: &Waker) {
        self.exchange.wake(waker);
    }

    /// Whether there is an outcome.
    pub(crate) fn is_over(&self) -> bool {
        self.exchange.has_ended() || self.is_late()
    }

    fn is_late(&self) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= Instant::now())
    }

    /// What the caller gets: never an expired token, and no error as long as the old token lives.
    fn judge(&self, outcome: Option<Outcome>) -> Outcome {
        let error = match outcome {
            Some(Ok(token)) if self.shared.lives(&token) => return Ok(token),
            Some(Ok(_)) => timed_out("the token died before it could be handed out; ask again"),
            Some(Err(error)) if error.kind() == ErrorKind::Closed => return Err(error),
            Some(Err(error)) => error,
            None => timed_out(&format!(
                "no token came within {:.1?}; the exchange goes on, so ask again",
                self.patience.map_or(Duration::ZERO, |(patience, _)| patience)
            )),
        };
        let token = self.grace.and_then(|_| self.shared.fall_back());
        token.ok_or(error)
    }
}

fn after(wait: Duration) -> Option<Instant> {
    Instant::now().checked_add(wait)
}

fn timed_out(message: &str) -> Error {
    Error::new(ErrorKind::Timeout, message)
}
