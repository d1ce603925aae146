//! Offers waits that block no event loop; `clazar_auth._async` and `clazar_auth._green` build upon them.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker as TaskWaker};
use std::time::Instant;

use pyo3::prelude::*;

use super::attached::attached;
use super::error::raise;
use super::log::Log;
use super::token::AccessToken;
use crate::binding::{self, catch_panic};

/// A wait for a token request.
#[pyclass(frozen, module = "clazar_auth._native")]
pub(super) struct Pending {
    pub(super) pending: binding::Pending,
    log: Log,
}

impl Pending {
    pub(super) fn new(pending: binding::Pending, log: Log) -> Self {
        Self { pending, log }
    }
}

#[pymethods]
impl Pending {
    /// Call the waker's function when the token request ends, if the waker is still there.
    fn wake(&self, waker: &Waker) {
        self.pending.wake(&waker.waker);
    }

    /// Seconds until the wait ends at the latest; infinite if it ends with the token request.
    fn remaining(&self) -> f64 {
        self.pending.deadline().map_or(f64::INFINITY, |deadline| {
            deadline.saturating_duration_since(Instant::now()).as_secs_f64()
        })
    }

    /// Whether the wait is over.
    fn done(&self) -> bool {
        self.pending.is_over()
    }

    /// The token; None if the wait goes on.
    fn result(&self, py: Python<'_>) -> PyResult<Option<AccessToken>> {
        let Some(outcome) = catch_panic(|| Ok(self.pending.poll())).map_err(|e| raise(py, &e))?
        else {
            return Ok(None);
        };
        self.log.drain(py)?;
        outcome.map(|token| Some(AccessToken(token))).map_err(|error| raise(py, &error))
    }
}

/// A function that is called when a token request ends, on the thread of that request.
#[pyclass(frozen, module = "clazar_auth._native")]
pub(super) struct Waker {
    _function: Arc<Py<PyAny>>,
    waker: TaskWaker,
}

/// What a token request keeps of a waker: nothing, once nobody waits with it.
struct Call(Weak<Py<PyAny>>);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        let Some(function) = self.0.upgrade() else { return };
        // An event loop that is closed has nobody to be woken, and neither has a Python that ends.
        let _ = attached(|py| function.call0(py).map(drop));
    }
}

#[pymethods]
impl Waker {
    #[new]
    fn new(function: Py<PyAny>) -> Self {
        let function = Arc::new(function);
        let waker = Arc::new(Call(Arc::downgrade(&function))).into();
        Self { _function: function, waker }
    }
}
