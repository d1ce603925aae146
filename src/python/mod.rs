//! Defines the Python module `clazar_auth._native`: it converts types, and nothing else.

mod adapter;
mod argument;
mod attached;
mod authenticate;
mod doctor;
mod error;
mod function;
mod log;
mod module;
mod options;
mod pending;
mod pickle;
mod provider;
mod sandbox;
mod stats;
mod text;
mod token;
mod wait;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::binding::held;

/// The Rust core of clazar_auth.
#[pymodule(gil_used = false)]
mod _native {
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        held(|| {
            one_interpreter(module.py())?;
            super::error::ERRORS.keep(module.py())?;
            super::provider::add_coroutines(module)
        })
    }

    #[pymodule_export]
    use super::adapter::_checked;
    #[pymodule_export]
    use super::authenticate::authenticate;
    #[pymodule_export]
    use super::doctor::_examine;
    #[pymodule_export]
    use super::pending::{Pending, Waker};
    #[pymodule_export]
    use super::provider::TokenProvider;
    #[pymodule_export]
    use super::sandbox::Sandbox;
    #[pymodule_export]
    use super::token::AccessToken;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}

/// The classes are shared by all interpreters that import them, which those of Python 3.12 and later
/// that are isolated refuse, and the others do not survive.
fn one_interpreter(py: Python<'_>) -> PyResult<()> {
    // Each interpreter has a `sys` of its own; that of the first is kept, so that no other is at its
    // address.
    static FIRST: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let this = py.import("sys")?;
    if FIRST.get_or_init(py, || this.clone().unbind()).is(&this) {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "clazar_auth works in one interpreter of a process, and another one has imported it; \
         import it in that one only",
    ))
}
