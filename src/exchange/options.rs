//! What a caller may choose about the exchange.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Error, env};

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

    /// Whether the proxy's URL, with or without a scheme, has a part before its host.
    #[cfg(feature = "python")]
    pub(crate) fn proxy_has_user(&self) -> bool {
        self.proxy.as_deref().is_some_and(|proxy| proxy.contains('@'))
    }

    /// Where to authenticate: `https`, or `http` to a loopback host.
    /// Default: `https://api.clazar.io/authenticate/`, whose trailing slash matters.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.auth_url = Some(url.into());
        self
    }

    /// A PEM file of certificate authorities to trust besides the system's.
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
            .finish_non_exhaustive()
    }
}
