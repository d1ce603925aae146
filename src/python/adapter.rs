//! Checks what an adapter is made from, so that what is wrong is refused before a request is sent.

use pyo3::prelude::*;

use super::argument::{Argument, wrong_type};
use super::options::time;
use super::provider::TokenProvider;
use crate::binding::held;

/// The provider itself, if it is one for `isinstance`, as a mock may be, and the time-out is one too.
#[pyfunction]
#[pyo3(signature = (provider, timeout=None))]
pub(super) fn _checked<'py>(
    py: Python<'py>,
    provider: Bound<'py, PyAny>,
    timeout: Argument<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    time(py, "timeout", &timeout)?;
    if !held(|| provider.is_instance(&py.get_type::<TokenProvider>()))? {
        return Err(wrong_type("provider", "a TokenProvider", &provider));
    }
    Ok(provider)
}
