//! Wraps the sandbox for `clazar_auth.testing`.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::argument::{Argument, bytes, headers, optional, text, whole_number};
use super::error::{raise, run};
use super::options::{duration, time};
use crate::binding::lock;
use crate::{Error, ErrorKind, sandbox};

const AUTHENTICATE: &str = "/authenticate/";

/// A stand-in for the Clazar API on loopback; see clazar_auth.testing.Sandbox.
#[pyclass(frozen, subclass, module = "clazar_auth._native")]
pub(super) struct Sandbox(Mutex<Option<sandbox::Sandbox>>);

#[pymethods]
impl Sandbox {
    #[new]
    #[pyo3(
        signature = (*, lifetime=None, delay=None, port=None),
        text_signature = "(*, lifetime=None, delay=None, port=0)"
    )]
    fn new(
        py: Python<'_>,
        lifetime: Argument<'_>,
        delay: Argument<'_>,
        port: Argument<'_>,
    ) -> PyResult<Self> {
        let port = optional("port", &port, whole_number)?.unwrap_or(0);
        let started = run(py, || sandbox::Sandbox::start_on(&format!("127.0.0.1:{port}")))?;
        if let Some(lifetime) = time(py, "lifetime", &lifetime)? {
            started.set_lifetime(lifetime);
        }
        if let Some(delay) = time(py, "delay", &delay)? {
            started.set_delay(delay);
        }
        Ok(Self(Mutex::new(Some(started))))
    }

    /// str: Where it listens, without a slash at the end.
    ///
    /// >>> sandbox.url
    /// 'http://127.0.0.1:...'
    #[getter]
    fn url(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.url())
    }

    /// str: Where to authenticate.
    ///
    /// >>> sandbox.auth_url == sandbox.url + "/authenticate/"
    /// True
    #[getter]
    fn auth_url(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.auth_url())
    }

    /// str: The one client id that the sandbox knows.
    ///
    /// >>> sandbox.provider()
    /// TokenProvider(client_id='...', auth_url='http://127.0.0.1:.../authenticate/')
    #[getter]
    fn client_id(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.client_id())
    }

    /// str: The client secret that works now, of at least 32 characters.
    ///
    /// >>> len(sandbox.client_secret) >= 32
    /// True
    #[getter]
    fn client_secret(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.client_secret())
    }

    /// Set how long new tokens are valid. Default: 86,400 seconds.
    ///
    /// Args:
    ///     seconds (float): from 0 up.
    ///
    /// Raises:
    ///     ConfigurationError: for another number.
    ///     ClosedError: the sandbox is closed.
    ///
    /// >>> sandbox.set_lifetime(60)
    /// >>> provider.token().expires_in <= 60
    /// True
    fn set_lifetime(&self, py: Python<'_>, seconds: Bound<'_, PyAny>) -> PyResult<()> {
        let lifetime = duration(py, "lifetime", &seconds)?;
        self.with(py, |sandbox| sandbox.set_lifetime(lifetime))
    }

    /// Set how long POST /authenticate/ waits before it answers. Default: 0 seconds.
    ///
    /// Args:
    ///     seconds (float): from 0 up.
    ///
    /// Raises:
    ///     ConfigurationError: for another number.
    ///     ClosedError: the sandbox is closed.
    ///
    /// >>> sandbox.set_delay(60)
    /// >>> provider.token(timeout=0.1)
    /// Traceback (most recent call last):
    ///     ...
    /// clazar_auth.errors.AuthTimeoutError: ...
    fn set_delay(&self, py: Python<'_>, seconds: Bound<'_, PyAny>) -> PyResult<()> {
        let delay = duration(py, "delay", &seconds)?;
        self.with(py, |sandbox| sandbox.set_delay(delay))
    }

    /// Answer the next request to path with this; several answers wait in line. One of success (2xx)
    /// waits until a request comes with a token that is accepted, unless path is /authenticate/.
    ///
    /// Args:
    ///     status (int): the HTTP status code, from 200 to 599.
    ///     body (bytes): the body as it is sent.
    ///     headers (dict[str, str]): headers besides Content-Length.
    ///     path (str): the path of the request's URL.
    ///
    /// Raises:
    ///     ConfigurationError: for another status, a header that HTTP does not allow, and a path without
    ///         its first slash.
    ///     ClosedError: the sandbox is closed.
    ///
    /// >>> sandbox.answer_next(429, headers={"Retry-After": "70"})
    /// >>> provider.token()
    /// Traceback (most recent call last):
    ///     ...
    /// clazar_auth.errors.RateLimitedError: ...
    #[pyo3(
        signature = (status, body=None, *, headers=None, path=None),
        text_signature = "($self, status, body=b'', *, headers={}, path='/authenticate/')"
    )]
    fn answer_next(
        &self,
        py: Python<'_>,
        status: Bound<'_, PyAny>,
        body: Argument<'_>,
        headers: Argument<'_>,
        path: Argument<'_>,
    ) -> PyResult<()> {
        let status = whole_number("status", &status)?;
        let body = optional("body", &body, bytes)?.unwrap_or_default();
        let headers = optional("headers", &headers, self::headers)?.unwrap_or_default();
        let path = optional("path", &path, text)?.unwrap_or(AUTHENTICATE);
        let answer = sandbox::Answer { status, headers, body };
        self.with(py, |sandbox| sandbox.answer_next(path, answer))?
            .map_err(|error| raise(py, &error))
    }

    /// Replace the records of a list.
    ///
    /// Those of /contracts/ are the contracts that /metering/ takes records for: for any dimension, or
    /// for the names in "dimensions", if a record has that.
    ///
    /// Args:
    ///     path (str): the path of the list.
    ///     records (list[dict]): what json.dumps() takes.
    ///
    /// Raises:
    ///     ConfigurationError: for a path or records that cannot be used.
    ///     ClosedError: the sandbox is closed.
    ///
    /// >>> sandbox.set_records("/buyers/", [{"id": "a"}, {"id": "b"}])
    fn set_records(
        &self,
        py: Python<'_>,
        path: Bound<'_, PyAny>,
        records: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let path = text("path", &path)?;
        let records = py.import("json")?.call_method1("dumps", (records,))?;
        let records = text("records", &records)?;
        self.with(py, |sandbox| sandbox.set_records(path, records))?
            .map_err(|error| raise(py, &error))
    }

    /// Replace the client secret; the old one is refused from now on.
    ///
    /// Returns:
    ///     str: the new one.
    ///
    /// Raises:
    ///     ClosedError: the sandbox is closed.
    ///
    /// >>> sandbox.rotate_secret() == sandbox.client_secret
    /// True
    fn rotate_secret(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |sandbox| sandbox.rotate_secret())
    }

    /// Refuse all tokens issued so far: the API answers 401 to them.
    ///
    /// Raises:
    ///     ClosedError: the sandbox is closed.
    ///
    /// >>> _ = provider.token()
    /// >>> sandbox.revoke_tokens()
    fn revoke_tokens(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |sandbox| sandbox.revoke_tokens())
    }

    /// How many requests came to a path.
    ///
    /// Args:
    ///     path (str): the path of their URL.
    ///
    /// Returns:
    ///     int: those since the sandbox was started.
    ///
    /// Raises:
    ///     ClosedError: the sandbox is closed.
    ///
    /// >>> _ = provider.token()
    /// >>> sandbox.requests()
    /// 1
    #[pyo3(signature = (path=None), text_signature = "($self, path='/authenticate/')")]
    fn requests(&self, py: Python<'_>, path: Argument<'_>) -> PyResult<u64> {
        let path = optional("path", &path, text)?.unwrap_or(AUTHENTICATE);
        self.with(py, |sandbox| sandbox.requests(path))
    }

    /// The bodies of the requests that came to a path, the last 1,000.
    ///
    /// Args:
    ///     path (str): the path of their URL.
    ///
    /// Returns:
    ///     list[bytes]: the oldest first; of /authenticate/ none, since they hold the secret, and of an
    ///         unknown path none but those with a prepared answer.
    ///
    /// Raises:
    ///     ClosedError: the sandbox is closed.
    ///
    /// >>> sandbox.received("/metering/")
    /// []
    fn received(&self, py: Python<'_>, path: Bound<'_, PyAny>) -> PyResult<Vec<Vec<u8>>> {
        let path = text("path", &path)?;
        self.with(py, |sandbox| sandbox.received(path))
    }

    /// Stop listening. Closing twice does nothing.
    ///
    /// >>> sandbox.close()
    /// >>> sandbox.close()
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(lock(&self.0).take()));
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
            let sandbox = lock(&self.0);
            sandbox.as_ref().map(use_it)
        });
        result.ok_or_else(|| {
            let closed = Error::new(ErrorKind::Closed, "the sandbox is closed; start a new one");
            raise(py, &closed)
        })
    }
}
