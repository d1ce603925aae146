//! What a pickled provider is made from again: a pickle holds no secret.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use super::settings::Keywords;
use crate::binding::Config;

/// The arguments of `clazar_auth._pickle.provider`, or why there are none.
pub(super) struct Recipe(Result<(Option<String>, Py<PyDict>), &'static str>);

impl Recipe {
    /// `config` is what the keywords say, and nothing of the environment yet.
    pub(super) fn new(py: Python<'_>, keywords: &Keywords, config: &Config) -> PyResult<Self> {
        match config.secret() {
            Some(secret) => Ok(Self(Err(secret))),
            None => {
                let client_id = config.credentials.client_id.clone();
                Ok(Self(Ok((client_id, dict(py, keywords)?))))
            }
        }
    }

    /// What `__reduce__` answers.
    pub(super) fn reduce<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (client_id, keywords) = self.0.as_ref().map_err(|secret| {
            PyTypeError::new_err(format!(
                "this TokenProvider is not pickled, since {secret}; name that in the environment and \
                 use from_env(), or make one in each process"
            ))
        })?;
        let make = py.import("clazar_auth._pickle")?.getattr("provider")?;
        Ok((make, (client_id, keywords)).into_pyobject(py)?.into_any())
    }
}

fn dict(py: Python<'_>, keywords: &Keywords) -> PyResult<Py<PyDict>> {
    let pairs = [
        ("client_secret_file", keywords.client_secret_file.as_ref().into_pyobject(py)?.into_any()),
        ("auth_url", keywords.auth_url.as_ref().into_pyobject(py)?.into_any()),
        ("ca_file", keywords.ca_file.as_ref().into_pyobject(py)?.into_any()),
        ("proxy", keywords.proxy.as_ref().into_pyobject(py)?.into_any()),
        ("timeout", keywords.timeout.into_pyobject(py)?.into_any()),
        ("user_agent", keywords.user_agent.as_ref().into_pyobject(py)?.into_any()),
        ("allowed_hosts", keywords.allowed_hosts.as_ref().into_pyobject(py)?.into_any()),
        ("store", keywords.store.as_ref().into_pyobject(py)?.into_any()),
        ("trust_env", keywords.trust_env.into_pyobject(py)?.into_any()),
        ("system_roots", keywords.system_roots.into_pyobject(py)?.into_any()),
    ];
    let given = pairs.into_iter().filter(|(_, value)| !value.is_none());
    Ok(given.collect::<Vec<_>>().into_py_dict(py)?.unbind())
}
