//! Providers.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::argument::{self, Argument};
use super::error::{raise, run};
use super::log::Log;
use super::pending::Pending;
use super::recipe::Recipe;
use super::settings::{self, Arguments};
use super::stats::Stats;
use super::text::Text;
use super::token::AccessToken;
use super::wait::finish;
use crate::Error;
use crate::binding::{Config, TokenPoll, contain};

/// Hands out an access token that is fresh, and gets a new one when it is due.
///
/// Thread-safe: all threads share one token, and however many wait, one request is sent. No request
/// is sent before the first token is asked for. Works as ``auth=`` of requests, and as a context
/// manager that closes it.
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
///         the system's, or of a folder of such files. It is read again when it has changed or a
///         certificate was refused.
///     proxy (str): URL of an HTTP proxy for https; '' means none. Default: the environment's
///         HTTPS_PROXY, except for the hosts in NO_PROXY.
///     timeout (float): seconds for one whole exchange. Default: 20.
///     user_agent (str): the User-Agent header. Default: clazar-auth/<version>
///     allowed_hosts (list[str]): hosts to which the token may go, each as 'host' or 'host:port'
///         (port 443 if unsaid), without wildcards; any other iterable will do. Default:
///         api.clazar.io, and the host and port of auth_url.
///     store (str or os.PathLike): where to keep the token besides memory, for other processes:
///         'memory' (nowhere else), 'file' (a file of this user's), the path of a folder, or the
///         URL of a Redis or Valkey, such as 'rediss://user:password@host:6379/0'. It is sealed
///         with the client secret, which must have at least 32 characters. Default: 'memory'.
///     trust_env (bool): whether the environment may name a proxy (HTTPS_PROXY, NO_PROXY), the
///         authorities to trust in place of the system's (SSL_CERT_FILE, SSL_CERT_DIR), and the
///         folder of the store 'file', which cannot be used without. from_env() reads its own
///         variables whatever is said here. Default: True.
///     system_roots (bool): whether to trust the system's authorities, or those that the
///         environment names in their place; else those of ca_file alone. Default: True.
///
/// Raises:
///     ConfigurationError: for an argument that cannot work.
///     TransportError: if a file cannot be read now, and may be later.
///     TypeError: for an argument of a wrong type.
///
/// >>> with clazar_auth.TokenProvider(
/// ...     sandbox.client_id, sandbox.client_secret, auth_url=sandbox.auth_url
/// ... ) as provider:
/// ...     provider.headers()
/// {'Authorization': 'Bearer ...'}
#[pyclass(frozen, subclass, weakref, module = "clazar_auth")]
pub(super) struct TokenProvider {
    provider: crate::TokenProvider,
    log: Log,
    text: Text,
    recipe: Recipe,
}

#[pymethods]
impl TokenProvider {
    #[new]
    #[pyo3(signature = (client_id, client_secret=None, *, client_secret_file=None,
        client_secret_fallback=None, auth_url=None,
        ca_file=None, proxy=None, timeout=None, user_agent=None, allowed_hosts=None, store=None,
        trust_env=None, system_roots=None))]
    #[allow(clippy::too_many_arguments)]
    fn new<'py>(
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
        allowed_hosts: Argument<'py>,
        store: Argument<'py>,
        trust_env: Argument<'py>,
        system_roots: Argument<'py>,
    ) -> PyResult<Self> {
        let arguments = Arguments {
            client_secret_file,
            client_secret_fallback,
            auth_url,
            ca_file,
            proxy,
            timeout,
            user_agent,
            allowed_hosts,
            store,
            trust_env,
            system_roots,
        };
        let keywords = arguments.read()?;
        let config = keywords.given(py, &client_id, &client_secret)?;
        let recipe = Recipe::new(py, &keywords, &config)?;
        Self::with(py, config, recipe)
    }

    /// A provider from CLAZAR_CLIENT_ID, CLAZAR_CLIENT_SECRET or CLAZAR_CLIENT_SECRET_FILE,
    /// CLAZAR_AUTH_URL and CLAZAR_STORE, which are read now and never again.
    ///
    /// Keyword arguments are those of TokenProvider, and come before the environment.
    ///
    /// Returns:
    ///     TokenProvider: it sends nothing before the first token is asked for.
    ///
    /// Raises:
    ///     ConfigurationError: for a variable or an argument that is missing or cannot work.
    ///
    /// >>> clazar_auth.TokenProvider.from_env(timeout=5)
    /// TokenProvider(client_id='...', auth_url='http://127.0.0.1:.../authenticate/')
    #[staticmethod]
    #[pyo3(signature = (*, client_secret_file=None,
        client_secret_fallback=None, auth_url=None, ca_file=None, proxy=None,
        timeout=None, user_agent=None, allowed_hosts=None, store=None, trust_env=None,
        system_roots=None))]
    #[allow(clippy::too_many_arguments)]
    fn from_env<'py>(
        py: Python<'py>,
        client_secret_file: Argument<'py>,
        client_secret_fallback: Argument<'py>,
        auth_url: Argument<'py>,
        ca_file: Argument<'py>,
        proxy: Argument<'py>,
        timeout: Argument<'py>,
        user_agent: Argument<'py>,
        allowed_hosts: Argument<'py>,
        store: Argument<'py>,
        trust_env: Argument<'py>,
        system_roots: Argument<'py>,
    ) -> PyResult<Self> {
        let arguments = Arguments {
            client_secret_file,
            client_secret_fallback,
            auth_url,
            ca_file,
            proxy,
            timeout,
            user_agent,
            allowed_hosts,
            store,
            trust_env,
            system_roots,
        };
        let keywords = arguments.read()?;
        let mut config = keywords.named(py)?;
        let recipe = Recipe::new(py, &keywords, &config)?;
        config.fill_from_env().map_err(|error| raise(py, &error))?;
        Self::with(py, config, recipe)
    }

    /// A token that lives: from memory as long as it is fresh; when it is due, it is renewed in the
    /// background.
    ///
    /// This thread waits for an exchange only if there is no live token, or at most a second in a
    /// token's last part; whoever waits at the same time shares its token or its failure. No call
    /// waits longer than the provider's timeout and a second, or with a store twice that timeout and
    /// three seconds, whatever becomes of the request. After a
    /// failure, and until the next exchange is due, callers without a live token get the error at
    /// once, with the time left as retry_after. Ctrl-C ends the wait, not the exchange.
    ///
    /// Args:
    ///     timeout (float): seconds that this call waits at the most; the exchange goes on after
    ///         that. Default: the whole exchange.
    ///
    /// Returns:
    ///     AccessToken: one that lives now.
    ///
    /// Raises:
    ///     ClazarAuthError: one of its subclasses, by what went wrong.
    ///
    /// >>> provider.token(timeout=5)
    /// AccessToken([redacted], expires_in=...)
    #[pyo3(signature = (*, timeout=None))]
    fn token(&self, py: Python<'_>, timeout: Argument<'_>) -> PyResult<AccessToken> {
        let timeout = settings::timeout(py, &timeout)?;
        self.finish(py, || self.provider.ask(timeout)).map(AccessToken)
    }

    /// The same token and the same exchange as token(), for a task of asyncio or trio: the event
    /// loop goes on meanwhile, and cancelling one task harms no other.
    ///
    /// Args:
    ///     timeout (float): seconds that this call waits at the most; the exchange goes on after
    ///         that. Default: the whole exchange.
    ///
    /// Returns:
    ///     AccessToken: one that lives now, when awaited.
    ///
    /// Raises:
    ///     ClazarAuthError: one of its subclasses, by what went wrong.
    ///
    /// >>> import asyncio
    /// >>> asyncio.run(provider.token_async(timeout=5))
    /// AccessToken([redacted], expires_in=...)
    #[pyo3(signature = (*, timeout=None))]
    fn token_async<'py>(
        slf: &Bound<'py, Self>,
        timeout: Argument<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("clazar_auth._async")?.call_method1("token", (slf, timeout))
    }

    /// A header with the token, which it gets as token_async() does.
    ///
    /// Args:
    ///     timeout (float): seconds that this call waits at the most; the exchange goes on after
    ///         that. Default: the whole exchange.
    ///
    /// Returns:
    ///     dict[str, str]: a new one with each call, when awaited.
    ///
    /// Raises:
    ///     ClazarAuthError: one of its subclasses, by what went wrong.
    ///
    /// >>> import asyncio
    /// >>> asyncio.run(provider.headers_async())
    /// {'Authorization': 'Bearer ...'}
    #[pyo3(signature = (*, timeout=None))]
    fn headers_async<'py>(
        slf: &Bound<'py, Self>,
        timeout: Argument<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("clazar_auth._async")?.call_method1("headers", (slf, timeout))
    }

    /// A token, or the wait for one.
    fn _ask<'py>(&self, py: Python<'py>, timeout: Argument<'py>) -> PyResult<Bound<'py, PyAny>> {
        let timeout = settings::timeout(py, &timeout)?;
        let answer = contain(|| self.provider.ask(timeout));
        self.log.drain(py)?;
        match answer.map_err(|error| raise(py, &error))? {
            TokenPoll::Ready(token) => Ok(Bound::new(py, AccessToken(token))?.into_any()),
            TokenPoll::Pending(pending) => {
                Ok(Bound::new(py, Pending::new(pending, self.log.clone()))?.into_any())
            }
        }
    }

    /// The value of the Authorization header (RFC 6750 section 2.1); gets the token as token()
    /// does.
    ///
    /// Returns:
    ///     str: 'Bearer ', and the token.
    ///
    /// Raises:
    ///     ClazarAuthError: one of its subclasses, by what went wrong.
    ///
    /// >>> provider.authorization()
    /// 'Bearer ...'
    fn authorization(&self, py: Python<'_>) -> PyResult<Py<PyString>> {
        self.log.drain(py)?;
        match self.text.if_fresh(py, &self.provider) {
            Some(text) => Ok(text),
            None => Ok(self.text.of(py, &self.provider, &self.fetch(py)?)),
        }
    }

    /// A header with the token, which it gets as token() does.
    ///
    /// Returns:
    ///     dict[str, str]: a new one with each call.
    ///
    /// Raises:
    ///     ClazarAuthError: one of its subclasses, by what went wrong.
    ///
    /// >>> provider.headers()
    /// {'Authorization': 'Bearer ...'}
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        headers.set_item(intern!(py, "Authorization"), self.authorization(py)?)?;
        Ok(headers)
    }

    /// The token in memory if it lives, without any I/O.
    ///
    /// Returns:
    ///     AccessToken or None: None without a live token.
    ///
    /// >>> provider.peek() is None  # None was asked for yet.
    /// True
    fn peek(&self, py: Python<'_>) -> PyResult<Option<AccessToken>> {
        self.log.drain(py)?;
        Ok(self.provider.peek().map(AccessToken))
    }

    /// A token from a new exchange, or from the one that is under way.
    ///
    /// It does not wait for the provider's own back-off after a failure; nor, once in 30 s, for as
    /// long as the server asked for. On failure a live token stays in use.
    ///
    /// Returns:
    ///     AccessToken: a new one.
    ///
    /// Raises:
    ///     ClazarAuthError: one of its subclasses, by what went wrong.
    ///
    /// >>> old = provider.token()
    /// >>> provider.refresh().value == old.value
    /// False
    fn refresh(&self, py: Python<'_>) -> PyResult<AccessToken> {
        self.finish(py, || self.provider.ask_anew()).map(AccessToken)
    }

    /// Take a token out of use, because the API answered 401 to it.
    ///
    /// Nothing happens if the token in use is already another, so each of many threads may call
    /// this; nor if a token was replaced for this reason less than 30 seconds ago, since the API
    /// then refuses for another one. A 403 is no reason to call this.
    ///
    /// Args:
    ///     token (AccessToken): the one that was refused.
    ///
    /// >>> provider.invalidate(provider.token())
    /// >>> provider.peek() is None
    /// True
    fn invalidate(&self, token: &AccessToken) {
        self.provider.invalidate(&token.0);
    }

    /// What the provider did so far, and how it is now.
    ///
    /// Returns:
    ///     Stats: as of now; it does not change any more.
    ///
    /// >>> _ = provider.token()
    /// >>> provider.stats().empty
    /// Exchanges(succeeded=1, failed=0)
    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        self.log.drain(py)?;
        Ok(self.provider.stats().into())
    }

    /// The token, got as token() gets it, sealed with the client secret, for keeping anywhere.
    ///
    /// Only a provider with the same client, URL and secret can take it, with unseal().
    ///
    /// Returns:
    ///     bytes: the same format as in the stores.
    ///
    /// Raises:
    ///     ConfigurationError: the client secret has fewer than 32 characters.
    ///     ClazarAuthError: there is no token, and none can be had.
    ///
    /// >>> blob = provider.seal()
    /// >>> provider.token().value.encode() in blob
    /// False
    fn seal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.fetch(py)?;
        let blob = run(py, || self.provider.seal())?;
        Ok(PyBytes::new(py, &blob))
    }

    /// Take the token of a blob that seal() made into use, unless the one in use lives longer.
    ///
    /// Args:
    ///     blob (bytes): what seal() gave, in this process or another.
    ///
    /// Raises:
    ///     ConfigurationError: the blob is not one of this client's and its present secret's, or
    ///         its token is dead or was invalidated.
    ///
    /// >>> other = sandbox.provider()
    /// >>> other.unseal(provider.seal())
    /// >>> other.token().value == provider.token().value
    /// True
    fn unseal(&self, py: Python<'_>, blob: Bound<'_, PyAny>) -> PyResult<()> {
        let blob = argument::bytes("blob", &blob)?;
        self.provider.unseal(&blob).map_err(|error| raise(py, &error))
    }

    /// The token in the store if it lives, without an exchange, and where the store is.
    fn _stored(&self, py: Python<'_>) -> PyResult<(Option<AccessToken>, String)> {
        let (token, place) = run(py, || self.provider.stored())?;
        Ok((token.map(|token| AccessToken(Arc::new(token))), place))
    }

    /// Take a token with this text into use for a day, without an exchange.
    fn _use(&self, py: Python<'_>, value: Bound<'_, PyAny>) -> PyResult<AccessToken> {
        let value = argument::text("value", &value)?;
        self.provider.put(value).map(AccessToken).map_err(|error| raise(py, &error))
    }

    /// Erase the token from memory and from the store.
    fn _forget(&self, py: Python<'_>) -> PyResult<()> {
        run(py, || self.provider.forget())
    }

    /// Check that a request to url may carry the token: https, or http to a loopback host, to one
    /// of allowed_hosts.
    ///
    /// Args:
    ///     url (str): of the request that the program is about to send.
    ///
    /// Raises:
    ///     ConfigurationError: saying why not.
    ///
    /// >>> provider.check_url("https://api.clazar.io/listings/")
    /// >>> provider.check_url("https://example.com/listings/")
    /// Traceback (most recent call last):
    ///     ...
    /// clazar_auth.errors.ConfigurationError: ...example.com...
    fn check_url(&self, py: Python<'_>, url: Bound<'_, PyAny>) -> PyResult<()> {
        let url = argument::text("url", &url)?;
        self.provider.check_url(url).map_err(|error| raise(py, &error))
    }

    /// End the exchange under way and drop the token.
    ///
    /// From now on, and for those that wait, each call raises ClosedError. Closing twice does
    /// nothing.
    ///
    /// >>> provider.close()
    /// >>> provider.token()
    /// Traceback (most recent call last):
    ///     ...
    /// clazar_auth.errors.ClosedError: ...
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.provider.close());
        self.text.forget();
    }

    /// Add the token to a request of the requests library, which calls this for ``auth=``.
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        request: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let adapter = slf.py().import("clazar_auth.integrations.requests")?;
        adapter.call_method1("authorize", (slf, request))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    /// The provider itself: all that have it share its token.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// A recipe: the provider is made again from the environment, or with the client secret's file,
    /// of the process that unpickles it. A provider that was given a secret is not pickled, and neither
    /// is one whose auth_url was given with a query, which may hold one, nor one of a subclass that does
    /// not say how.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        if !slf.is_exact_instance_of::<Self>() {
            return Err(PyTypeError::new_err(
                "a subclass of TokenProvider is not pickled; give it a __reduce__ of its own",
            ));
        }
        slf.get().recipe.reduce(slf.py())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let client_id = self.provider.client_id().into_pyobject(py)?;
        let auth_url = self.provider.auth_url().into_pyobject(py)?;
        Ok(format!("TokenProvider(client_id={}, auth_url={})", client_id.repr()?, auth_url.repr()?))
    }
}

impl TokenProvider {
    fn with(py: Python<'_>, mut config: Config, recipe: Recipe) -> PyResult<Self> {
        let log = Log::default();
        config.listener = Some(log.listener());
        let provider = run(py, || config.provider())?;
        Ok(Self { provider, log, text: Text::default(), recipe })
    }

    fn fetch(&self, py: Python<'_>) -> PyResult<Arc<crate::AccessToken>> {
        self.finish(py, || self.provider.ask(None))
    }

    fn finish(
        &self,
        py: Python<'_>,
        ask: impl FnOnce() -> Result<TokenPoll, Error>,
    ) -> PyResult<Arc<crate::AccessToken>> {
        let outcome = finish(py, ask);
        self.log.drain(py)?;
        outcome
    }
}
