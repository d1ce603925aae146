//! Pickles a provider as what it is made from again: no secret is in a pickle.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::options::{ON_EVENT, python};
use crate::binding::{Config, OptionName, OptionValue};

pub(super) struct PickleState {
    /// The options that the program gave, or the one that may hold a secret.
    given: Result<Vec<(OptionName, OptionValue)>, OptionName>,
    /// Whether the environment gives others.
    from_env: bool,
}

impl PickleState {
    pub(super) fn new(config: &Config, from_env: bool) -> Self {
        let given = config.values().given().map(|(option, value)| (option, value.clone()));
        let given = config.first_secret().map_or_else(|| Ok(given.collect()), Err);
        Self { given, from_env }
    }

    /// What `__reduce__` answers.
    pub(super) fn reduce<'py>(
        &self,
        py: Python<'py>,
        on_event: Option<&Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let given = self.given.as_ref().map_err(|secret| {
            PyTypeError::new_err(format!(
                "this TokenProvider is not pickled, since its {} is or may hold a secret; give that in \
                 the environment and use from_env(), or make one in each process",
                secret.row().name
            ))
        })?;
        let options = PyDict::new(py);
        for (option, value) in given {
            options.set_item(option.row().name, python(py, value)?)?;
        }
        if let Some(on_event) = on_event {
            options.set_item(ON_EVENT, on_event)?;
        }
        let make = py.import("clazar_auth._pickle")?.getattr("provider")?;
        Ok((make, (options, self.from_env)).into_pyobject(py)?.into_any())
    }
}
