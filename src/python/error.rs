//! Converts errors to the exceptions of `clazar_auth.errors`.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyType};

use super::module::Module;
use crate::Error;
use crate::binding::{catch_panic, held};

/// Imported with this module.
pub(super) static ERRORS: Module = Module::new("clazar_auth.errors");

/// Runs `work` without the GIL, so that other Python threads go on.
pub(super) fn run<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    py.detach(|| catch_panic(work)).map_err(|error| raise(py, &error))
}

pub(super) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    held(|| exception(py, error)).map_or_else(|failed| failed, PyErr::from_value)
}

fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let class = ERRORS.get(py, error.kind().row().class)?;
    let attributes = [
        ("http_status", error.http_status().into_pyobject(py)?.into_any()),
        ("code", error.code().into_pyobject(py)?.into_any()),
        ("request_id", error.request_id().into_pyobject(py)?.into_any()),
        ("retry_after", error.retry_after().map(|wait| wait.as_secs_f64()).into_pyobject(py)?),
        ("retryable", error.is_retryable().into_pyobject(py)?.to_owned().into_any()),
    ];
    let class = class.cast_into::<PyType>()?;
    class.call((error.to_string(),), Some(&attributes.into_py_dict(py)?))
}
