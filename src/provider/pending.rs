//! A caller's wait for an exchange.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::shared::{Exchange, Kept, Outcome, Shared};
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
    /// What the caller gets if the exchange does not help.
    fallback: Option<Arc<Kept>>,
    deadline: Option<Instant>,
    /// How long the caller will wait, for the error that says so.
    patience: Option<Duration>,
}

impl Pending {
    pub(super) fn new(
        shared: &Arc<Shared>,
        exchange: Arc<Exchange>,
        fallback: Option<(Arc<Kept>, Duration)>,
    ) -> Self {
        let (fallback, grace) = fallback.unzip();
        let deadline = grace.and_then(after);
        Self { shared: shared.clone(), exchange, fallback, deadline, patience: None }
    }

    /// Ends the wait after `patience`, if not before.
    pub(super) fn within(mut self, patience: Option<Duration>) -> Self {
        let deadlines = [self.deadline, patience.and_then(after)];
        self.deadline = deadlines.into_iter().flatten().min();
        self.patience = patience;
        self
    }

    /// When the wait ends at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Blocks until the wait ends.
    pub(crate) fn wait(&self) -> Outcome {
        self.judge(self.exchange.wait(self.deadline))
    }

    /// Blocks for a while; `None` if the wait goes on.
    pub(crate) fn wait_for(&self, slice: Duration) -> Option<Outcome> {
        let until = [self.deadline, after(slice)].into_iter().flatten().min();
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
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
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
                self.patience.unwrap_or_default()
            )),
        };
        let fallback = self.fallback.as_ref().and_then(|kept| self.shared.fall_back_on(kept));
        fallback.ok_or(error)
    }
}

fn after(wait: Duration) -> Option<Instant> {
    Instant::now().checked_add(wait)
}

fn timed_out(message: &str) -> Error {
    Error::new(ErrorKind::Timeout, message)
}
