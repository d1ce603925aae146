//! Calls Python on threads of the library.

use std::mem;
use std::thread;

use pyo3::prelude::*;

/// Keeps a thread where it is that Python ends. Before 3.14 it ends those that want to go on while the program
/// ends, by `pthread_exit`; what that drops on its way must not call Python.
struct StayHere;

impl Drop for StayHere {
    fn drop(&mut self) {
        while !thread::panicking() {
            thread::park();
        }
    }
}

/// What `call` gives; None if Python has ended, or is about to.
pub(super) fn attached<T>(call: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    Python::try_attach(|py| {
        let stay = StayHere;
        let result = call(py);
        mem::forget(stay);
        result
    })
}
