//! Calls Python from code that runs without it, such as the threads of the library.

use pyo3::prelude::*;

use crate::binding::held;

/// What `call` gives; None if Python has ended, or is about to.
///
/// Before 3.14, Python ends a thread that wants to go on while the program ends, by `pthread_exit`; what that
/// drops on its way would call Python.
pub(super) fn attached<T>(call: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    Python::try_attach(|py| held(|| call(py)))
}
