//! Waits for a token request, for one caller.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::notifier::Wait;
use super::shared::{Asked, Flight, Outcome, Shared, Work};
use crate::error::{Error, ErrorKind};
use crate::text;
use crate::token::AccessToken;

/// Much longer than it takes from the end of a token request until all that wait can learn of it.
const MOMENT: Duration = Duration::from_secs(1);

/// A token, or the wait for one.
pub(crate) enum TokenPoll {
    Ready(Arc<AccessToken>),
    Pending(Pending),
}

impl TokenPoll {
    pub(super) fn new(shared: &Arc<Shared>, asked: Asked) -> Self {
        match asked {
            Asked::Token(token) => Self::Ready(token),
            Asked::Wait { flight, work, grace } => {
                Self::Pending(Pending::new(shared.clone(), flight, work, grace))
            }
        }
    }
}

/// A wait that any number of calls may go on with. Dropping it harms nobody else's.
pub(crate) struct Pending {
    shared: Arc<Shared>,
    flight: Arc<Flight>,
    work: Arc<Work>,
    /// When a caller with a valid token takes that.
    grace: Option<Instant>,
    /// How long the caller will wait, and until when.
    timeout: Option<(Duration, Instant)>,
    /// Whether the caller does not come back, so that the provider's back-off is nothing to it.
    once: bool,
}

impl Pending {
    fn new(
        shared: Arc<Shared>,
        flight: Arc<Flight>,
        work: Arc<Work>,
        grace: Option<Duration>,
    ) -> Self {
        Self { shared, flight, work, grace: grace.and_then(after), timeout: None, once: false }
    }

    /// Ends the wait after `timeout`, if not before.
    pub(super) fn within(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout.and_then(|timeout| Some((timeout, after(timeout)?)));
        self
    }

    /// For a caller that does not come back.
    pub(super) fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// When the wait ends at the latest, as it looks now: the grace is over when the valid token ends, and a
    /// token request that takes longer than any may is given up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let grace = self.grace.filter(|_| self.shared.peek().is_some());
        let timeout = self.timeout.map(|(_, until)| until);
        let limit = self.shared.limit_of(&self.work);
        [grace, timeout, limit].into_iter().flatten().min()
    }

    /// Blocks until the wait ends.
    pub(crate) fn wait(&self) -> Outcome {
        loop {
            let outcome = self.work.wait(self.deadline());
            if let Some(outcome) = self.settle(outcome) {
                return outcome;
            }
        }
    }

    /// Blocks for a while; `None` if the wait goes on.
    pub(crate) fn wait_for(&self, slice: Duration) -> Option<Outcome> {
        let until = self.deadline().into_iter().chain(after(slice)).min();
        let outcome = self.work.wait(until);
        self.settle(outcome)
    }

    /// The outcome; `None` if the wait goes on.
    pub(crate) fn poll(&self) -> Option<Outcome> {
        self.wait_for(Duration::ZERO)
    }

    /// Wakes `waker` when the token request ends. The [`deadline`](Self::deadline) is for the caller to
    /// watch.
    pub(crate) fn wake(&self, waker: &Waker) {
        self.work.wake(waker);
    }

    /// Calls `tell` once with the outcome, on a thread of the library that all such waits share. Without that
    /// thread (an error) it is not called.
    pub(super) fn call(self, tell: impl FnOnce(Outcome) + Send + 'static) -> Result<(), Error> {
        let shared = self.shared.clone();
        let wait = Box::new(Call { pending: self, tell });
        shared.notifier().watch(wait)
    }

    /// Whether there is an outcome.
    pub(crate) fn is_over(&self) -> bool {
        self.work.has_ended() || self.is_late()
    }

    fn is_late(&self) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= Instant::now())
    }

    /// What the caller gets of the token request's outcome; `None` if the wait goes on.
    fn settle(&self, outcome: Option<Outcome>) -> Option<Outcome> {
        if outcome.is_none() && !self.is_late() {
            return None;
        }
        // Looked at after is_late(): if that is so because of this limit, this is so, too.
        if outcome.is_none() && self.shared.is_overdue(&self.work) {
            self.shared.give_up(&self.flight, &self.work);
            // Another that gave it up first may not have told its outcome yet.
            return Some(self.judge(self.work.wait(after(MOMENT))));
        }
        Some(self.judge(outcome))
    }

    /// What the caller gets: never an expired token, and no error as long as the old token is valid.
    pub(super) fn judge(&self, outcome: Option<Outcome>) -> Outcome {
        let failure = outcome.as_ref().and_then(|outcome| outcome.as_ref().err().cloned());
        let error = match outcome {
            Some(Ok(token)) if self.shared.lives(&token) => return Ok(token),
            Some(Ok(_)) => timed_out("the token expired before it could be handed out; ask again"),
            Some(Err(error)) if error.kind() == ErrorKind::Closed => return Err(error),
            Some(Err(error)) => error,
            None => timed_out(&match self.timeout {
                Some((timeout, _)) if !timeout.is_zero() => {
                    format!(
                        "no token came within {}; the request goes on, so ask again",
                        text::seconds(timeout)
                    )
                }
                _ => "there is no token yet; the request for one goes on, so ask again".to_owned(),
            }),
        };
        let token = self.grace.and_then(|_| self.shared.fall_back(&self.work, failure));
        token.ok_or(if self.once { error.with_backoff(None) } else { error })
    }
}

struct Call<F> {
    pending: Pending,
    tell: F,
}

impl<F: FnOnce(Outcome) + Send + 'static> Wait for Call<F> {
    fn deadline(&self) -> Option<Instant> {
        self.pending.deadline()
    }

    fn wake(&self, waker: &Waker) {
        self.pending.wake(waker);
    }

    fn is_over(&self) -> bool {
        self.pending.is_over()
    }

    fn tell(self: Box<Self>) -> Option<Box<dyn Wait>> {
        match self.pending.poll() {
            Some(outcome) => (self.tell)(outcome),
            None => return Some(self),
        }
        None
    }
}

fn after(wait: Duration) -> Option<Instant> {
    Instant::now().checked_add(wait)
}

fn timed_out(message: &str) -> Error {
    Error::new(ErrorKind::Timeout, message)
}
