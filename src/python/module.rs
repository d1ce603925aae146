//! Finds what the Python modules have, also while Python ends and imports nothing any more.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// Those of a module of `clazar_auth` that are used by the Rust part.
pub(super) struct Module {
    name: &'static str,
    kept: PyOnceLock<Py<PyDict>>,
}

impl Module {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, kept: PyOnceLock::new() }
    }

    /// Imports it, if that was not done yet.
    pub(super) fn keep(&self, py: Python<'_>) -> PyResult<()> {
        let names = || py.import(self.name)?.dict().copy().map(Bound::unbind);
        self.kept.get_or_try_init(py, names).map(drop)
    }

    /// What it calls `name`; what it called so at first, if it cannot be imported any more.
    pub(super) fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.keep(py)?;
        match (py.import(self.name), self.kept.get(py)) {
            (Err(_), Some(kept)) => kept.bind(py).as_any().get_item(name),
            (module, _) => module?.getattr(name),
        }
    }
}

/// Whether the program has imported a module; it has none while Python ends.
pub(super) fn is_loaded(py: Python<'_>, name: &str) -> bool {
    let modules = py.import("sys").and_then(|sys| sys.getattr("modules"));
    modules.and_then(|modules| modules.contains(name)).unwrap_or(false)
}
