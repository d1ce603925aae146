//! Runs at most one piece of work at a time; all that wait for it share its outcome.
//!
//! Generic over what the work is, and free of I/O, so that `tests/model` can run it through every
//! interleaving of its threads.

use std::ops::{Deref, DerefMut};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::sync::{
    Arc, Condvar, Mutex, MutexGuard, ThreadId, TryLockError, current_thread, ignore_poison,
};

/// The work in flight, if any, and a state (`S`) that is kept from one to the next.
///
/// The lock is held neither over I/O nor while somebody learns of an outcome (`T`) or uses a handle (`H`).
pub(crate) struct SingleFlight<T, H, S>(Mutex<Inner<T, H, S>>);

struct Inner<T, H, S> {
    in_flight: Option<Arc<Work<T, H>>>,
    closed: bool,
    state: S,
}

/// No work is started or joined any more.
#[derive(Debug)]
pub(crate) struct Closed;

impl<T: Clone, H, S> SingleFlight<T, H, S> {
    pub(crate) fn new(state: S, closed: bool) -> Self {
        Self(Mutex::new(Inner { in_flight: None, closed, state }))
    }

    /// Waits for others that hold the lock, never for work.
    pub(crate) fn lock(&self) -> Result<Guard<'_, T, H, S>, Closed> {
        Guard::new(ignore_poison(self.0.lock()))
    }

    /// As [`lock`](Self::lock), but `None` if another thread holds the lock.
    pub(crate) fn try_lock(&self) -> Option<Result<Guard<'_, T, H, S>, Closed>> {
        match self.0.try_lock() {
            Ok(inner) => Some(Guard::new(inner)),
            Err(TryLockError::Poisoned(error)) => Some(Guard::new(error.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Ends `work`: `conclude` makes its outcome under the lock, and then those that wait are
    /// released. Nothing happens, and the answer is false, if it is not in flight any more.
    pub(crate) fn complete(
        &self,
        work: &Arc<Work<T, H>>,
        conclude: impl FnOnce(&mut S) -> T,
    ) -> bool {
        let mut inner = ignore_poison(self.0.lock());
        if !inner.in_flight.as_ref().is_some_and(|current| Arc::ptr_eq(current, work)) {
            return false;
        }
        // Should this panic, the work is still in flight, and can be completed in another way.
        let outcome = conclude(&mut inner.state);
        inner.in_flight = None;
        drop(inner);
        work.end(outcome);
        true
    }

    /// Ends the work in flight with `outcome`, and lets no other start. `clear` changes the state before
    /// anybody learns of it. The work is returned for its handle.
    pub(crate) fn close(&self, outcome: T, clear: impl FnOnce(&mut S)) -> Option<Arc<Work<T, H>>> {
        let mut inner = ignore_poison(self.0.lock());
        inner.closed = true;
        clear(&mut inner.state);
        let work = inner.in_flight.take();
        drop(inner);
        if let Some(work) = &work {
            work.end(outcome);
        }
        work
    }
}

/// The right to start work or to join it. As long as it is held, none starts or ends.
pub(crate) struct Guard<'a, T, H, S>(MutexGuard<'a, Inner<T, H, S>>);

impl<'a, T: Clone, H, S> Guard<'a, T, H, S> {
    fn new(inner: MutexGuard<'a, Inner<T, H, S>>) -> Result<Self, Closed> {
        if inner.closed { Err(Closed) } else { Ok(Self(inner)) }
    }

    pub(crate) fn in_flight(&self) -> Option<Arc<Work<T, H>>> {
        self.0.in_flight.clone()
    }

    /// The work in flight, or new work with this handle. `start` is to do it on another thread, which calls
    /// [`runs_here`](Work::runs_here) first and [`complete`](SingleFlight::complete) last.
    pub(crate) fn join_or_start<E>(
        &mut self,
        handle: H,
        start: impl FnOnce(Arc<Work<T, H>>) -> Result<(), E>,
    ) -> Result<Arc<Work<T, H>>, E> {
        if let Some(work) = self.in_flight() {
            return Ok(work);
        }
        let work = Arc::new(Work::new(handle));
        start(work.clone())?;
        self.0.in_flight = Some(work.clone());
        Ok(work)
    }
}

impl<T, H, S> Deref for Guard<'_, T, H, S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0.state
    }
}

impl<T, H, S> DerefMut for Guard<'_, T, H, S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.0.state
    }
}

/// A piece of work, as its thread and those that wait for it see it.
pub(crate) struct Work<T, H> {
    /// The way to end it early.
    pub(crate) handle: H,
    started: Instant,
    state: Mutex<WorkState<T>>,
    ended: Condvar,
}

struct WorkState<T> {
    thread: Option<ThreadId>,
    outcome: Option<T>,
    wakers: Vec<Waker>,
}

impl<T: Clone, H> Work<T, H> {
    fn new(handle: H) -> Self {
        let state = WorkState { thread: None, outcome: None, wakers: Vec::new() };
        Self { handle, started: Instant::now(), state: Mutex::new(state), ended: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, WorkState<T>> {
        ignore_poison(self.state.lock())
    }

    /// Says that the calling thread does the work.
    pub(crate) fn runs_here(&self) {
        self.state().thread = Some(current_thread());
    }

    /// Whether the calling thread does the work, and so must not wait for it.
    pub(crate) fn is_run_by_caller(&self) -> bool {
        self.state().thread == Some(current_thread())
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    fn end(&self, outcome: T) {
        let mut state = self.state();
        state.outcome = Some(outcome);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.ended.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state().outcome.is_some()
    }

    /// Waits for the outcome, at most until `deadline`.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Option<T> {
        let mut state = self.state();
        while state.outcome.is_none() {
            state =
                match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                    None => ignore_poison(self.ended.wait(state)),
                    Some(Duration::ZERO) => break,
                    Some(left) => ignore_poison(self.ended.wait_timeout(state, left)).0,
                };
        }
        state.outcome.clone()
    }

    /// Wakes `waker` once, when the work ends, or at once if it has.
    pub(crate) fn wake(&self, waker: &Waker) {
        let mut state = self.state();
        if state.outcome.is_some() {
            drop(state);
            waker.wake_by_ref();
        } else if !state.wakers.iter().any(|known| known.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
    }
}
