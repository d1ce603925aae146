//! At most one exchange at a time; all that wait for it share its token or its failure.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::error::contain;
use crate::sys::signals;
use crate::{AccessToken, Error, ErrorKind};

type Outcome = Result<Arc<AccessToken>, Error>;

/// The exchange under way, if any. Its locks are never held over I/O.
#[derive(Default)]
pub(super) struct Flight {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: Option<Arc<Exchange>>,
    closed: bool,
}

/// What [`Flight::join`] found.
pub(super) enum Joined {
    /// An exchange has brought a token in the meantime.
    Ready(Arc<AccessToken>),
    Waiting(Arc<Exchange>),
}

impl Flight {
    /// Joins the exchange under way, or has `start` begin one, unless `ready` has a token by now.
    ///
    /// `start` is to run the exchange on another thread, and to call [`land`](Self::land) there.
    pub(super) fn join(
        &self,
        ready: impl FnOnce() -> Option<Arc<AccessToken>>,
        start: impl FnOnce(Arc<Exchange>) -> Result<(), Error>,
    ) -> Result<Joined, Error> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(Error::closed());
        }
        if let Some(token) = ready() {
            return Ok(Joined::Ready(token));
        }
        if let Some(exchange) = &state.under_way {
            return Ok(Joined::Waiting(exchange.clone()));
        }
        let exchange = Arc::new(Exchange::default());
        start(exchange.clone())?;
        state.under_way = Some(exchange.clone());
        Ok(Joined::Waiting(exchange))
    }

    /// Ends the exchange under way with its outcome. `serve` takes a new token into service;
    /// it is not called after [`close`](Self::close).
    pub(super) fn land(&self, outcome: Outcome, serve: impl FnOnce(&Arc<AccessToken>)) {
        let mut state = lock(&self.state);
        let Some(exchange) = state.under_way.take() else {
            return; // closed
        };
        if let Ok(token) = &outcome {
            serve(token);
        }
        drop(state);
        exchange.end(outcome);
    }

    /// Runs `change` while no exchange can start or land.
    pub(super) fn between<T>(&self, change: impl FnOnce() -> T) -> T {
        let _state = lock(&self.state);
        change()
    }

    /// Ends the exchange under way and refuses all others. `clear` takes the token out of service.
    pub(super) fn close(&self, clear: impl FnOnce()) {
        let mut state = lock(&self.state);
        state.closed = true;
        clear();
        let exchange = state.under_way.take();
        drop(state);
        if let Some(exchange) = exchange {
            exchange.end(Err(Error::closed()));
        }
    }
}

/// One exchange, as its thread and those that wait for it see it.
#[derive(Default)]
pub(super) struct Exchange {
    progress: Mutex<Progress>,
    ended: Condvar,
}

#[derive(Default)]
struct Progress {
    agent: Option<Agent>,
    outcome: Option<Outcome>,
}

impl Exchange {
    /// Lets [`end`](Self::end) interrupt what `agent` does; an error if the exchange has ended.
    pub(super) fn attach(&self, agent: &Agent) -> Result<(), Error> {
        let mut progress = lock(&self.progress);
        if progress.outcome.is_some() {
            return Err(Error::closed());
        }
        progress.agent = Some(agent.clone());
        Ok(())
    }

    fn end(&self, outcome: Outcome) {
        let mut progress = lock(&self.progress);
        let agent = progress.agent.take();
        progress.outcome = Some(outcome);
        drop(progress);
        self.ended.notify_all();
        if let Some(agent) = agent {
            agent.shutdown();
        }
    }

    /// Waits for the outcome, or for as long as this caller will.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Outcome {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut progress = lock(&self.progress);
        loop {
            if let Some(outcome) = &progress.outcome {
                return outcome.clone();
            }
            let Some(deadline) = deadline else {
                progress = ignore_poison(self.ended.wait(progress));
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(gave_up(timeout.unwrap_or_default()));
            }
            progress = ignore_poison(self.ended.wait_timeout(progress, left)).0;
        }
    }
}

/// Runs `work` on a thread that ends with it.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = thread::Builder::new().name("clazar-auth".into());
    signals::with_all_blocked(|| thread.spawn(work)).map(drop).map_err(|error| {
        Error::new(
            ErrorKind::Transport,
            format!("no thread could be started for the exchange ({error}); try again"),
        )
    })
}

/// The outcome of `work`, also when it panics.
pub(super) fn outcome_of(work: impl FnOnce() -> Result<AccessToken, Error>) -> Outcome {
    contain(work).map(Arc::new)
}

fn gave_up(timeout: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("no token came within {timeout:?}; the exchange goes on, so ask again"),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    ignore_poison(mutex.lock())
}

/// No code that can panic between two changes runs under these locks.
fn ignore_poison<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}
