//! Wraps an access token for Python.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTzInfo};

use crate::binding::since_1970;

/// An access token of the Clazar API. Immutable and thread-safe.
///
/// Its ``repr`` and ``str`` show no part of the token. Two with the same text are equal. It does not
/// pickle; a copy is the token itself.
///
/// >>> provider.token()
/// AccessToken([redacted], expires_in=...)
/// >>> provider.token() == provider.token()
/// True
#[pyclass(frozen, eq, hash, module = "clazar_auth")]
#[derive(PartialEq, Eq, Hash)]
pub(super) struct AccessToken(pub(super) Arc<crate::AccessToken>);

#[pymethods]
impl AccessToken {
    /// str: The token itself. What Python made a str of, Python keeps in memory.
    ///
    /// >>> provider.token().value.count(".")  # It is a JWT.
    /// 2
    #[getter]
    fn value(&self) -> &str {
        self.0.value()
    }

    /// str: The value of the Authorization header (RFC 6750 section 2.1).
    ///
    /// >>> provider.token().authorization
    /// 'Bearer ...'
    #[getter]
    fn authorization(&self) -> &str {
        self.0.authorization()
    }

    /// str: Always 'Bearer' (RFC 6750).
    ///
    /// >>> provider.token().token_type
    /// 'Bearer'
    #[getter]
    fn token_type(&self) -> &'static str {
        self.0.token_type()
    }

    /// datetime.datetime: When the token expires; aware, in UTC.
    ///
    /// >>> provider.token().expires_at.isoformat(timespec="seconds")
    /// '20...+00:00'
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        let since = since_1970(self.0.expires_at());
        PyDateTime::from_timestamp(py, since.as_secs_f64(), Some(&*PyTzInfo::utc(py)?))
    }

    /// float: Seconds that the token is still valid; 0.0 once it has expired.
    ///
    /// >>> provider.token().expires_in > 3600
    /// True
    #[getter]
    fn expires_in(&self) -> f64 {
        self.0.expires_in().as_secs_f64()
    }

    /// bool: Whether the token has expired.
    ///
    /// >>> provider.token().expired
    /// False
    #[getter]
    fn expired(&self) -> bool {
        self.0.is_expired()
    }

    /// str: Eight hexadecimal digits that tell tokens apart and tell nothing of them.
    ///
    /// >>> len(provider.token().fingerprint)
    /// 8
    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __repr__(&self) -> String {
        format!("AccessToken([redacted], expires_in={:.0})", self.0.expires_in().as_secs_f64())
    }
}
