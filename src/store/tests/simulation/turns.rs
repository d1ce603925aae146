//! Has one thread of a simulation run at a time.

use std::cell::Cell;
use std::sync::{Condvar, Mutex};

use crate::sync::{ignore_poison, lock};

/// A thread that takes turns with others, and the host and the process for which it works.
#[derive(Clone, Copy)]
pub(super) struct Runner {
    pub(super) number: usize,
    pub(super) host: usize,
    pub(super) process: u32,
}

thread_local! {
    static HERE: Cell<Option<Runner>> = const { Cell::new(None) };
}

impl Runner {
    /// The one that the calling thread is.
    pub(super) fn here() -> Option<Self> {
        HERE.get()
    }

    pub(super) fn set(runner: Option<Self>) {
        HERE.set(runner);
    }
}

/// The right to run, which one thread has at a time.
#[derive(Default)]
pub(super) struct Turn {
    is_given: Mutex<bool>,
    given: Condvar,
}

impl Turn {
    pub(super) fn give(&self) {
        *lock(&self.is_given) = true;
        self.given.notify_one();
    }

    /// Waits for it.
    pub(super) fn take(&self) {
        let is_given = lock(&self.is_given);
        let is_given = self.given.wait_while(is_given, |is_given| !*is_given);
        *ignore_poison(is_given) = false;
    }
}
