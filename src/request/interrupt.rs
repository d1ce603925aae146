//! Lets another thread end a token request.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::error::Error;
use crate::sync::{ignore_poison, lock};

/// Raised once, it ends the pauses and the connections of one token request, now and later.
#[derive(Default)]
pub(crate) struct Interrupt {
    state: Mutex<State>,
    raised: Condvar,
}

#[derive(Default)]
struct State {
    agent: Option<Agent>,
    raised: bool,
}

impl Interrupt {
    /// Ends what the token request does.
    pub(crate) fn raise(&self) {
        let mut state = self.lock();
        state.raised = true;
        let agent = state.agent.take();
        drop(state);
        self.raised.notify_all();
        if let Some(agent) = agent {
            agent.shutdown();
        }
    }

    /// Lets [`raise`](Self::raise) end what `agent` does; an error if it was raised already.
    pub(super) fn attach(&self, agent: &Agent) -> Result<(), Error> {
        let mut state = self.lock();
        if state.raised {
            return Err(Error::closed());
        }
        state.agent = Some(agent.clone());
        Ok(())
    }

    /// Sleeps; an error once it is raised.
    pub(crate) fn pause(&self, length: Duration) -> Result<(), Error> {
        let until = Instant::now() + length;
        let mut state = self.lock();
        while !state.raised {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let waited = self.raised.wait_timeout(state, left);
            state = ignore_poison(waited).0;
        }
        Err(Error::closed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic between two changes runs under this lock.
        lock(&self.state)
    }
}
