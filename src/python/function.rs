//! Asks a program's own function for the client secret.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyReferenceError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::argument;
use super::attached::attached;
use crate::binding::{OptionValue, Secret, SecretFunction, SourceError, held, lock};

/// The function. Python's garbage collector sees it through the provider, which it may lead back to.
pub(super) struct Function(Mutex<Option<Py<PyAny>>>);

impl Function {
    pub(super) fn new(function: Bound<'_, PyAny>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(function.unbind()))))
    }

    pub(super) fn value(self: &Arc<Self>) -> OptionValue {
        let function = self.clone();
        OptionValue::Function(SecretFunction::new(move || function.secret()))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.try_lock().map_or(Ok(()), |function| visit.call(&*function))
    }

    /// Drops it, which may run a `__del__` of the program's.
    pub(super) fn forget(&self) {
        let function = lock(&self.0).take();
        held(|| drop(function));
    }

    /// Called on a thread of the library.
    fn secret(&self) -> Result<Secret, SourceError> {
        let secret = attached(|py| self.ask(py).map_err(|error| told(py, error)));
        Ok(secret.ok_or("Python is about to end")??)
    }

    /// Nothing is kept of what it returns or raises: a traceback holds its variables.
    fn ask(&self, py: Python<'_>) -> PyResult<Secret> {
        let function = lock(&self.0).as_ref().map(|function| function.clone_ref(py));
        let function = function.ok_or_else(|| PyReferenceError::new_err("it is gone"))?;
        let mut secret = function.bind(py).call0()?;
        if secret.hasattr("__await__")? {
            secret = py.import("clazar_auth._async")?.call_method1("run", (secret,))?;
        }
        Ok(Secret::new(argument::text("what it returns", &secret)?))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.forget();
    }
}

/// The text of an exception, of which nothing else stays: its traceback, and those of what came before it, would
/// be kept by the task of an asynchronous function, and hold the variables.
fn told(py: Python<'_>, error: PyErr) -> String {
    let text = error.to_string();
    let mut next = Some(error.into_value(py).into_bound(py).into_any());
    while let Some(exception) = next {
        let _ = exception.setattr("__traceback__", py.None());
        next = exception.getattr("__context__").ok().filter(|it| !it.is_none());
    }
    text
}
