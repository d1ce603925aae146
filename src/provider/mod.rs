//! The token provider: one token, kept in memory, for all threads.

#[cfg(any(feature = "capi", feature = "python"))]
mod config;
mod flight;
mod hosts;
mod policy;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

#[cfg(any(feature = "capi", feature = "python"))]
pub(crate) use self::config::Config;
use self::flight::{Exchange, Flight, Joined, outcome_of, spawn};
use self::hosts::AllowedHosts;
use crate::exchange::Client;
use crate::sys::clock::Moment;
use crate::{AccessToken, Credentials, Error, Options};

/// Hands out an access token that is fresh, and gets a new one when it is due.
///
/// Cheap to clone and safe to share between threads: all clones share one token, and however many
/// threads wait, at most one exchange is under way. It runs on a short-lived thread of its own.
///
/// ```no_run
/// # fn main() -> Result<(), clazar_auth::Error> {
/// let provider = clazar_auth::TokenProvider::from_env()?;
/// let token = provider.token()?;
/// let header = ("Authorization", token.authorization());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TokenProvider(Arc<Shared>);

struct Shared {
    client: Client,
    credentials: Credentials,
    allowed_hosts: AllowedHosts,
    token: ArcSwapOption<AccessToken>,
    flight: Flight,
}

/// Makes a [`TokenProvider`]; see [`TokenProvider::builder`].
#[derive(Debug)]
pub struct TokenProviderBuilder {
    credentials: Credentials,
    options: Options,
    allowed_hosts: Option<Vec<String>>,
}

impl TokenProviderBuilder {
    /// How to reach the API.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The hosts to which a token may go, each as `host` or `host:port` (port 443 if unsaid).
    /// Default: `api.clazar.io`, and the host and port of the authentication URL.
    pub fn allowed_hosts<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.allowed_hosts = Some(hosts.into_iter().map(Into::into).collect());
        self
    }

    /// Checks all settings and makes the provider. No request is sent before the first token is
    /// asked for.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a setting that cannot work.
    ///
    /// # Environment
    /// Reads `HTTPS_PROXY` and `NO_PROXY` unless a proxy is given, and `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR`, now and never again.
    pub fn build(self) -> Result<TokenProvider, Error> {
        let client = Client::new(&self.options)?;
        Ok(TokenProvider(Arc::new(Shared {
            allowed_hosts: AllowedHosts::new(self.allowed_hosts.as_deref(), client.url())?,
            client,
            credentials: self.credentials,
            token: ArcSwapOption::empty(),
            flight: Flight::default(),
        })))
    }
}

impl TokenProvider {
    /// A provider for `credentials`.
    pub fn builder(credentials: Credentials) -> TokenProviderBuilder {
        TokenProviderBuilder { credentials, options: Options::default(), allowed_hosts: None }
    }

    /// A provider from [`Credentials::from_env`] and [`Options::from_env`].
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a variable that is missing or
    /// unusable.
    pub fn from_env() -> Result<Self, Error> {
        let options = Options::from_env()?;
        Self::builder(Credentials::from_env()?).options(options).build()
    }

    /// The client id, which is no secret.
    pub fn client_id(&self) -> &str {
        self.0.credentials.client_id()
    }

    /// Where the provider authenticates, without query and fragment.
    pub fn auth_url(&self) -> String {
        self.0.client.url().to_string()
    }

    /// A token that is not due: from memory if there is one, else from an exchange, for which the
    /// calling thread waits.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind) but `InvalidArgument`; all threads that waited for a
    /// failed exchange get the same error.
    pub fn token(&self) -> Result<Arc<AccessToken>, Error> {
        self.get(None)
    }

    /// As [`token`](Self::token), but waits no longer than `timeout`.
    ///
    /// # Errors
    /// Also [`Timeout`](crate::ErrorKind::Timeout) when this wait ends; the exchange goes on for
    /// the others, and for the next call.
    pub fn token_timeout(&self, timeout: Duration) -> Result<Arc<AccessToken>, Error> {
        self.get(Some(timeout))
    }

    /// The token in memory if it lives, without any I/O.
    pub fn peek(&self) -> Option<Arc<AccessToken>> {
        self.0.token.load_full().filter(|token| !token.is_expired())
    }

    /// A token from a new exchange, or from the one that is under way.
    ///
    /// # Errors
    /// As [`token`](Self::token); the token in memory then stays in use.
    pub fn refresh(&self) -> Result<Arc<AccessToken>, Error> {
        self.exchange(None, || None)
    }

    /// Takes `token` out of use, because the API answered 401 to it. Nothing happens if the token
    /// in use is already another, so each of many threads may call this.
    pub fn invalidate(&self, token: &AccessToken) {
        self.0.flight.between(|| {
            let current = self.0.token.load();
            if current.as_ref().is_some_and(|current| current.value() == token.value()) {
                self.0.token.store(None);
            }
        });
    }

    /// Whether a request to `url` may carry the token: `https`, or `http` on this machine, to one
    /// of the allowed hosts.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument), saying why not.
    pub fn check_url(&self, url: &str) -> Result<(), Error> {
        self.0.allowed_hosts.check(url)
    }

    /// Ends the exchange under way and drops the token. From now on, and for those that wait, each
    /// call fails with [`Closed`](crate::ErrorKind::Closed). Closing twice does nothing.
    pub fn close(&self) {
        self.0.flight.close(|| self.0.token.store(None));
    }

    fn get(&self, timeout: Option<Duration>) -> Result<Arc<AccessToken>, Error> {
        match self.0.fresh_token() {
            Some(token) => Ok(token),
            None => self.exchange(timeout, || self.0.fresh_token()),
        }
    }

    fn exchange(
        &self,
        timeout: Option<Duration>,
        ready: impl FnOnce() -> Option<Arc<AccessToken>>,
    ) -> Result<Arc<AccessToken>, Error> {
        let start = |exchange: Arc<Exchange>| {
            let shared = self.0.clone();
            spawn(move || shared.run(&exchange))
        };
        match self.0.flight.join(ready, start)? {
            Joined::Ready(token) => Ok(token),
            Joined::Waiting(exchange) => exchange.wait(timeout),
        }
    }
}

impl Shared {
    fn fresh_token(&self) -> Option<Arc<AccessToken>> {
        let now = Moment::now();
        let token = self.token.load_full()?;
        (!policy::is_due(token.age(now), token.lifetime())).then_some(token)
    }

    /// The work of the exchange's own thread.
    fn run(&self, exchange: &Exchange) {
        let outcome = outcome_of(|| {
            let agent = self.client.agent()?;
            exchange.attach(&agent)?;
            self.client.exchange(&agent, &self.credentials)
        });
        self.flight.land(outcome, |token| self.token.store(Some(token.clone())));
    }
}

impl fmt::Debug for TokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenProvider")
            .field("auth_url", &self.auth_url())
            .field("client_id", &self.client_id())
            .field("token", &self.peek())
            .finish()
    }
}
