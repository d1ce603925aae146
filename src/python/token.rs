//! Tokens.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTzInfo};

use super::argument::Argument;
use super::error::run;
use super::settings::Arguments;
use super::wait::finish;

/// An access token of the Clazar API. Immutable and thread-safe.
///
/// Its ``repr`` and ``str`` show no part of the token.
///
/// >>> provider.token()
/// AccessToken([redacted], expires_in=...)
#[pyclass(frozen, module = "clazar_auth")]
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

    /// datetime.datetime: When the token dies; aware, in UTC.
    ///
    /// >>> provider.token().expires_at.isoformat(timespec="seconds")
    /// '20...+00:00'
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        let since = self.0.expires_at().duration_since(UNIX_EPOCH).unwrap_or_default();
        PyDateTime::from_timestamp(py, since.as_secs_f64(), Some(&*PyTzInfo::utc(py)?))
    }

    /// float: Seconds that the token still lives; 0.0 once it is dead.
    ///
    /// >>> provider.token().expires_in > 3600
    /// True
    #[getter]
    fn expires_in(&self) -> f64 {
        self.0.expires_in().as_secs_f64()
    }

    /// bool: Whether the token is dead.
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

    fn __repr__(&self) -> String {
        format!("AccessToken([redacted], expires_in={:.0})", self.0.expires_in().as_secs_f64())
    }
}

/// Exchange a client id and secret for a new access token: one exchange, and nothing is kept.
///
/// A program that needs the token more than once is better served by a TokenProvider. Thread-safe.
///
/// Args:
///     client_id (str): the client id.
///     client_secret (str): the client secret; or pass client_secret_file.
///     client_secret_file (str or os.PathLike): path of a file that holds the secret; a newline at
///         its end is dropped. It is read again when the API refuses the secret.
///     client_secret_fallback (str): a second secret, for the time of a rotation: tried once when
///         the first is refused.
///     auth_url (str): https, or http to a loopback host. Default:
///         https://api.clazar.io/authenticate/
///     ca_file (str or os.PathLike): path of a PEM file of certificate authorities to trust besides
///         the system's, or of a folder of such files.
///     proxy (str): URL of an HTTP proxy for https; '' means none. Default: the environment's
///         HTTPS_PROXY, except for the hosts in NO_PROXY.
///     timeout (float): seconds for the whole exchange. Default: 20.
///     user_agent (str): the User-Agent header. Default: clazar-auth/<version>
///     trust_env (bool): whether the environment may name a proxy (HTTPS_PROXY, NO_PROXY), and the
///         authorities to trust in place of the system's (SSL_CERT_FILE, SSL_CERT_DIR).
///         Default: True.
///     system_roots (bool): whether to trust the system's authorities, or those that the
///         environment names in their place; else those of ca_file alone. Default: True.
///
/// Returns:
///     AccessToken: a new one.
///
/// Raises:
///     ConfigurationError: for an argument that cannot work.
///     ClazarAuthError: another of its subclasses, by what went wrong.
///
/// >>> clazar_auth.authenticate(
/// ...     sandbox.client_id, sandbox.client_secret, auth_url=sandbox.auth_url
/// ... )
/// AccessToken([redacted], expires_in=...)
#[pyfunction]
#[pyo3(signature = (client_id, client_secret=None, *, client_secret_file=None,
        client_secret_fallback=None, auth_url=None,
    ca_file=None, proxy=None, timeout=None, user_agent=None, trust_env=None, system_roots=None))]
#[allow(clippy::too_many_arguments)]
pub(super) fn authenticate<'py>(
    py: Python<'py>,
    client_id: Bound<'py, PyAny>,
    client_secret: Argument<'py>,
    client_secret_file: Argument<'py>,
    client_secret_fallback: Argument<'py>,
    auth_url: Argument<'py>,
    ca_file: Argument<'py>,
    proxy: Argument<'py>,
    timeout: Argument<'py>,
    user_agent: Argument<'py>,
    trust_env: Argument<'py>,
    system_roots: Argument<'py>,
) -> PyResult<AccessToken> {
    let arguments = Arguments {
        client_secret_file,
        client_secret_fallback,
        auth_url,
        ca_file,
        proxy,
        timeout,
        user_agent,
        allowed_hosts: None,
        store: None,
        trust_env,
        system_roots,
    };
    let config = arguments.read()?.given(py, &client_id, &client_secret)?;
    let provider = run(py, || config.provider())?;
    finish(py, || provider.ask_once()).map(AccessToken)
}
