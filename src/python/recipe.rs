//! What a pickled provider is made from again: a pickle holds no secret.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use super::settings::Keywords;

/// The arguments of `clazar_auth._pickle.provider`, or why there are none.
pub(super) struct Recipe(Result<(Option<String>, Py<PyDict>), &'static str>);

impl Recipe {
    /// With a client id, or else from the environment.
    pub(super) fn new(
        py: Python<'_>,
        client_id: Option<&str>,
        client_secret: Option<&str>,
        keywords: &Keywords,
    ) -> PyResult<Self> {
        let secret = if client_secret.is_some() {
            "it was given its client secret"
        } else if keywords.client_secret_fallback.is_some() {
            "it was given a fallback of its client secret"
        } else if has_password(keywords.proxy.as_deref()) {
            "its proxy's URL has a password"
        } else if has_password(keywords.store.as_deref().and_then(|store| store.to_str())) {
            "its store's URL has a password"
        } else {
            return Ok(Self(Ok((client_id.map(str::to_owned), dict(py, keywords)?))));
        };
        Ok(Self(Err(secret)))
    }

    /// What `__reduce__` answers.
    pub(super) fn reduce<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (client_id, keywords) = self.0.as_ref().map_err(|secret| {
            PyTypeError::new_err(format!(
                "this TokenProvider is not pickled, since {secret}; make it with from_env() or \
                 client_secret_file, or in each process"
            ))
        })?;
        let make = py.import("clazar_auth._pickle")?.getattr("provider")?;
        Ok((make, (client_id, keywords)).into_pyobject(py)?.into_any())
    }
}

fn has_password(url: Option<&str>) -> bool {
    url.is_some_and(|url| url.contains("://") && url.contains('@'))
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
    ];
    let given = pairs.into_iter().filter(|(_, value)| !value.is_none());
    Ok(given.collect::<Vec<_>>().into_py_dict(py)?.unbind())
}
