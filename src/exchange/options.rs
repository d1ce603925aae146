//! What a caller may choose about the exchange.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::env::{self, Common};
use crate::error::Error;
use crate::trust::Trust;

/// How to reach the API. The defaults suit the real one.
///
/// ```
/// use std::time::Duration;
/// let options = clazar_auth::Options::default()
///     .timeout(Duration::from_secs(5))
///     .user_agent("billing-sync/2.1");
/// ```
///
/// Values are checked when the options are used, by
/// [`authenticate`](crate::authenticate) or by the provider's builder.
#[derive(Clone, Default)]
pub struct Options {
    pub(super) auth_url: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) proxy: Option<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) user_agent: Option<String>,
    trust_env: Option<bool>,
    system_roots: Option<bool>,
}

impl Options {
    /// The defaults, with the authentication URL from `CLAZAR_AUTH_URL` if that is set.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) if the variable is not UTF-8.
    pub fn from_env() -> Result<Self, Error> {
        let mut options = Self::default();
        options.fill_from_env()?;
        Ok(options)
    }

    /// Reads from the environment what is not set yet.
    pub(crate) fn fill_from_env(&mut self) -> Result<(), Error> {
        if self.auth_url.is_none() {
            self.auth_url = env::read("CLAZAR_AUTH_URL")?;
        }
        Ok(())
    }

    /// The environment as far as it has a say.
    pub(crate) fn common(&self) -> Common {
        Common { are_read: self.trust_env.unwrap_or(true) }
    }

    pub(super) fn trust(&self) -> Result<Trust, Error> {
        let system_roots = self.system_roots.unwrap_or(true);
        Trust::new(self.ca_file.as_deref(), self.common(), system_roots)
    }

    /// Whether the URL has a part that errors leave out.
    pub(crate) fn auth_url_has_query(&self) -> bool {
        self.auth_url.as_deref().is_some_and(|url| url.contains(['?', '#']))
    }

    /// Whether the proxy's URL, with or without a scheme, has a part before its host.
    pub(crate) fn proxy_has_user(&self) -> bool {
        self.proxy.as_deref().is_some_and(|proxy| proxy.contains('@'))
    }

    /// Where to authenticate: `https`, or `http` to a loopback host.
    /// Default: `https://api.clazar.io/authenticate/`, whose trailing slash matters.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.auth_url = Some(url.into());
        self
    }

    /// A PEM file of certificate authorities to trust besides the system's, or a folder of such files.
    /// It is read now, and again when it has changed or a certificate was refused.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// The HTTP proxy for `https` URLs, such as `http://user:password@proxy:3128`; an empty text
    /// means none. Default: `HTTPS_PROXY`, except for the hosts in `NO_PROXY`.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// The limit for one whole exchange, above zero and at most a day. Default: 20 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether the environment may name a proxy (`HTTPS_PROXY`, `NO_PROXY`), the authorities to trust in
    /// place of the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR`) and the folder of
    /// [`Store::file`](crate::Store::file), which cannot be used without. Default: true. The `CLAZAR_`
    /// variables are read by the functions named `from_env`, whatever is said here.
    pub fn trust_env(mut self, trust: bool) -> Self {
        self.trust_env = Some(trust);
        self
    }

    /// Whether to trust the system's certificate authorities, or those that the environment names in
    /// their place. Default: true. With false those of [`ca_file`](Self::ca_file) alone are trusted.
    pub fn system_roots(mut self, trust: bool) -> Self {
        self.system_roots = Some(trust);
        self
    }

    /// The `User-Agent` header (RFC 9110 section 10.1.5). Default: `clazar-auth/<version>`.
    pub fn user_agent(mut self, text: impl Into<String>) -> Self {
        self.user_agent = Some(text.into());
        self
    }
}

impl fmt::Debug for Options {
    /// Leaves out the URLs, which may carry a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("ca_file", &self.ca_file)
            .field("timeout", &self.timeout)
            .field("user_agent", &self.user_agent)
            .field("trust_env", &self.trust_env)
            .field("system_roots", &self.system_roots)
            .finish_non_exhaustive()
    }
}
