//! The sandbox, for `clazar_auth.testing`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::error::{raise, run};
use super::settings::seconds;
use crate::{Error, ErrorKind, sandbox};

/// A stand-in for the Clazar API on loopback; see clazar_auth.testing.Sandbox.
#[pyclass(frozen, subclass, module = "clazar_auth._native")]
pub(super) struct Sandbox(Mutex<Option<sandbox::Sandbox>>);

#[pymethods]
impl Sandbox {
    #[new]
    #[pyo3(signature = (*, lifetime=None, delay=None))]
    fn new(py: Python<'_>, lifetime: Option<f64>, delay: Option<f64>) -> PyResult<Self> {
        let sandbox = Self(Mutex::new(Some(run(py, sandbox::Sandbox::start)?)));
        if let Some(lifetime) = lifetime {
            sandbox.set_lifetime(py, lifetime)?;
        }
        if let Some(delay) = delay {
            sandbox.set_delay(py, delay)?;
        }
        Ok(sandbox)
    }

    /// 'http://127.0.0.1:<port>', without a slash at the end.
    #[getter]
    fn url(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.url())
    }

    /// Where to authenticate: url and '/authenticate/'.
    #[getter]
    fn auth_url(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.auth_url())
    }

    /// The one client id that the sandbox knows.
    #[getter]
    fn client_id(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.client_id())
    }

    /// The client secret that works now.
    #[getter]
    fn client_secret(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.client_secret())
    }

    /// Let new tokens live for so many seconds. Default: 86,400.
    fn set_lifetime(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let lifetime = self::seconds(py, Some(seconds))?.unwrap_or_default();
        self.with(py, |sandbox| sandbox.set_lifetime(lifetime))
    }

    /// Let POST /authenticate/ wait for so many seconds before it answers. Default: 0.
    fn set_delay(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let delay = self::seconds(py, Some(seconds))?.unwrap_or_default();
        self.with(py, |sandbox| sandbox.set_delay(delay))
    }

    /// Answer the next request to path with this; several answers wait in line.
    #[pyo3(signature = (status, body=Vec::new(), *, headers=BTreeMap::new(), path="/authenticate/"))]
    fn answer_next(
        &self,
        py: Python<'_>,
        status: u16,
        body: Vec<u8>,
        headers: BTreeMap<String, String>,
        path: &str,
    ) -> PyResult<()> {
        let answer = sandbox::Answer { status, headers: headers.into_iter().collect(), body };
        self.with(py, |sandbox| sandbox.answer_next(path, answer))
    }

    /// Replace the client secret and return the new one; the old one is refused from now on.
    fn rotate_secret(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.rotate_secret())
    }

    /// Refuse all tokens issued so far.
    fn revoke_tokens(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |sandbox| sandbox.revoke_tokens())
    }

    /// How many requests came to path.
    #[pyo3(signature = (path="/authenticate/"))]
    fn requests(&self, py: Python<'_>, path: &str) -> PyResult<u64> {
        self.with(py, |sandbox| sandbox.requests(path))
    }

    /// Stop listening. Closing twice does nothing.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }
}

impl Sandbox {
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        use_it: impl FnOnce(&sandbox::Sandbox) -> T + Send,
    ) -> PyResult<T> {
        let result = py.detach(|| {
            let sandbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            sandbox.as_ref().map(use_it)
        });
        result.ok_or_else(|| {
            let closed = Error::new(ErrorKind::Closed, "the sandbox is closed; start a new one");
            raise(py, &closed)
        })
    }
}
