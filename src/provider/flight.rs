//! At most one exchange at a time; all that wait for it share its outcome.
//!
//! Generic over what an exchange is, and free of I/O, so that `tests/model` can run it through every
//! interleaving of its threads.

use std::ops::{Deref, DerefMut};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::sync::{Arc, Condvar, Mutex, MutexGuard, TryLockError, ignore_poison};

/// The exchange under way, if any, and what is remembered from one to the next (`M`).
///
/// No lock is held over I/O, and none is taken while an outcome (`T`) or a handle (`H`) is used.
pub(crate) struct Flight<T, H, M>(Mutex<State<T, H, M>>);

struct State<T, H, M> {
    under_way: Option<Arc<Exchange<T, H>>>,
    closed: bool,
    memory: M,
}

/// Nobody takes part in an exchange any more.
#[derive(Debug)]
pub(crate) struct Closed;

impl<T: Clone, H: Default, M> Flight<T, H, M> {
    pub(crate) fn new(memory: M, closed: bool) -> Self {
        Self(Mutex::new(State { under_way: None, closed, memory }))
    }

    /// Waits for those that are at the gate, never for an exchange.
    pub(crate) fn enter(&self) -> Result<Gate<'_, T, H, M>, Closed> {
        let state = ignore_poison(self.0.lock());
        if state.closed { Err(Closed) } else { Ok(Gate(state)) }
    }

    /// As [`enter`](Self::enter), but `None` if somebody is at the gate.
    pub(crate) fn try_enter(&self) -> Option<Result<Gate<'_, T, H, M>, Closed>> {
        let state = match self.0.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(if state.closed { Err(Closed) } else { Ok(Gate(state)) })
    }

    /// Ends `exchange` with its outcome. Before anybody learns of it, `remember` notes it down at the
    /// gate, and then `tell`, away from it, tells others; both unless [`close`](Self::close) came first.
    pub(crate) fn land(
        &self,
        exchange: &Arc<Exchange<T, H>>,
        outcome: T,
        remember: impl FnOnce(&mut M, &T),
        tell: impl FnOnce(),
    ) {
        let mut state = ignore_poison(self.0.lock());
        if state.closed {
            return;
        }
        state.under_way = None;
        remember(&mut state.memory, &outcome);
        drop(state);
        tell();
        exchange.end(outcome);
    }

    /// Ends the exchange under way with `outcome`, and refuses all others. Before anybody learns of
    /// it, `forget` clears the memory. The exchange is returned for its handle.
    pub(crate) fn close(
        &self,
        outcome: T,
        forget: impl FnOnce(&mut M),
    ) -> Option<Arc<Exchange<T, H>>> {
        let mut state = ignore_poison(self.0.lock());
        state.closed = true;
        forget(&mut state.memory);
        let exchange = state.under_way.take();
        drop(state);
        if let Some(exchange) = &exchange {
            exchange.end(outcome);
        }
        exchange
    }
}

/// The right to start an exchange or to join one. As long as it is held, none starts or ends.
pub(crate) struct Gate<'a, T, H, M>(MutexGuard<'a, State<T, H, M>>);

impl<T: Clone, H: Default, M> Gate<'_, T, H, M> {
    pub(crate) fn under_way(&self) -> Option<Arc<Exchange<T, H>>> {
        self.0.under_way.clone()
    }

    /// The exchange under way, or a new one. `start` is to run it on another thread, and to call
    /// [`land`](Flight::land) there.
    pub(crate) fn board<E>(
        &mut self,
        start: impl FnOnce(Arc<Exchange<T, H>>) -> Result<(), E>,
    ) -> Result<Arc<Exchange<T, H>>, E> {
        if let Some(exchange) = self.under_way() {
            return Ok(exchange);
        }
        let exchange = Arc::new(Exchange::new());
        start(exchange.clone())?;
        self.0.under_way = Some(exchange.clone());
        Ok(exchange)
    }
}

impl<T, H, M> Deref for Gate<'_, T, H, M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.0.memory
    }
}

impl<T, H, M> DerefMut for Gate<'_, T, H, M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.0.memory
    }
}

/// One exchange, as its thread and those that wait for it see it.
pub(crate) struct Exchange<T, H> {
    /// The way to end it early.
    pub(crate) handle: H,
    progress: Mutex<Progress<T>>,
    ended: Condvar,
}

struct Progress<T> {
    outcome: Option<T>,
    wakers: Vec<Waker>,
}

impl<T: Clone, H: Default> Exchange<T, H> {
    fn new() -> Self {
        Self {
            handle: H::default(),
            progress: Mutex::new(Progress { outcome: None, wakers: Vec::new() }),
            ended: Condvar::new(),
        }
    }

    fn end(&self, outcome: T) {
        let mut progress = ignore_poison(self.progress.lock());
        progress.outcome = Some(outcome);
        let wakers = std::mem::take(&mut progress.wakers);
        drop(progress);
        self.ended.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn has_ended(&self) -> bool {
        ignore_poison(self.progress.lock()).outcome.is_some()
    }

    /// Waits for the outcome, at most until `deadline`.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Option<T> {
        let mut progress = ignore_poison(self.progress.lock());
        while progress.outcome.is_none() {
            progress =
                match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                    None => ignore_poison(self.ended.wait(progress)),
                    Some(Duration::ZERO) => break,
                    Some(left) => ignore_poison(self.ended.wait_timeout(progress, left)).0,
                };
        }
        progress.outcome.clone()
    }

    /// Wakes `waker` once, when the exchange ends, or at once if it has.
    pub(crate) fn wake(&self, waker: &Waker) {
        let mut progress = ignore_poison(self.progress.lock());
        if progress.outcome.is_some() {
            drop(progress);
            waker.wake_by_ref();
        } else if !progress.wakers.iter().any(|known| known.will_wake(waker)) {
            progress.wakers.push(waker.clone());
        }
    }
}
