//! Names the primitives of the single flight; `tests/model` puts others in their place.

pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

pub(crate) use crate::sys::thread::{Id as ThreadId, current as current_thread};

/// Nothing under the locks of this crate can panic halfway through a change.
pub(crate) fn ignore_poison<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    ignore_poison(mutex.lock())
}
