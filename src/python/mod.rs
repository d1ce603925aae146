//! The Python module `clazar_auth._native`: it converts types, and nothing else.

mod error;
mod log;
mod pending;
mod provider;
mod recipe;
mod sandbox;
mod settings;
mod stats;
mod text;
mod token;

use pyo3::prelude::*;

/// The Rust core of clazar_auth.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::pending::{Pending, Waker};
    #[pymodule_export]
    use super::provider::TokenProvider;
    #[pymodule_export]
    use super::sandbox::Sandbox;
    #[pymodule_export]
    use super::stats::{Exchanges, Stats};
    #[pymodule_export]
    use super::token::{AccessToken, authenticate};

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
