//! Hands out one token, kept in memory, to all threads.

mod callbacks;
mod config;
mod current_token;
mod event;
mod future;
mod hosts;
mod notifier;
mod pending;
mod policy;
mod retry_state;
mod shared;
mod single_flight;
mod stats;
#[cfg(all(test, feature = "sandbox"))]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::config::Config;
pub(crate) use self::current_token::CachedToken;
pub(crate) use self::event::{Event, Listener};
pub use self::future::TokenFuture;
use self::hosts::AllowedHosts;
pub(crate) use self::pending::{Pending, TokenPoll};
use self::shared::{Outcome, Shared};
pub use self::stats::{Requests, Stats};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::interface::with_options;
use crate::request::{HttpSource, Options};
use crate::store::{Sealer, SharedStore, Store};
use crate::sys::clock::Clock;
use crate::token::AccessToken;

/// Hands out an access token that is fresh, and gets a new one when it is due.
///
/// Cheap to clone and safe to share between threads: all clones share one token, and however many
/// threads wait, at most one token request is under way. It runs on a short-lived thread of its own.
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

/// Makes a [`TokenProvider`]; see [`TokenProvider::builder`].
#[derive(Debug)]
pub struct TokenProviderBuilder {
    credentials: Credentials,
    options: Options,
    allowed_hosts: Option<Vec<String>>,
    store: Store,
    listener: Option<Listener>,
    clock: Clock,
}

impl TokenProviderBuilder {
    /// How to reach the API.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Checks all options and makes the provider. No request is sent before the first token is
    /// asked for.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an option that cannot work;
    /// [`Transport`](crate::ErrorKind::Transport) if a file cannot be read now and may be later, or
    /// memory is short.
    ///
    /// # Environment
    /// Reads `HTTPS_PROXY` and `NO_PROXY` unless a proxy is given, and `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR`, and for [`Store::file`](crate::Store::file) those that name its folder, now and
    /// never again; nothing with [`Options::trust_env`] off. The files that `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name are read with the first connection over TLS, and again when they have changed
    /// or a certificate was refused.
    pub fn build(self) -> Result<TokenProvider, Error> {
        let http = Arc::new(HttpSource::new(&self.options)?);
        let allowed_hosts = AllowedHosts::new(self.allowed_hosts.as_deref(), http.url())?;
        let url = http.url().uri().to_string();
        let sealer = Sealer::new(&url, self.credentials.client_id(), self.clock.clone());
        let sealer = Arc::new(sealer);
        let variables = self.options.common();
        let store = SharedStore::new(&self.store, &http, &sealer, &self.credentials, variables)?;
        Ok(TokenProvider(Arc::new(Shared::new(
            http,
            self.credentials,
            allowed_hosts,
            sealer,
            store,
            self.clock,
            self.listener,
        ))))
    }

    pub(crate) fn listener(mut self, listener: Option<Listener>) -> Self {
        self.listener = listener;
        self
    }

    #[cfg(all(test, feature = "sandbox"))]
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

macro_rules! setters {
    ($($(#[doc = $doc:literal])+ $option:ident $name:ident $kind:ident $variable:literal $scope:ident $since:literal;)+) => {
        impl TokenProviderBuilder {
            $(setter! { $scope $name [$($doc)+] })+
        }
    };
}

macro_rules! setter {
    (Provider allowed_hosts [$($doc:literal)+]) => {
        $(#[doc = $doc])+
        pub fn allowed_hosts<S: Into<String>>(
            mut self,
            hosts: impl IntoIterator<Item = S>,
        ) -> Self {
            self.allowed_hosts = Some(hosts.into_iter().map(Into::into).collect());
            self
        }
    };
    (Provider store [$($doc:literal)+]) => {
        $(#[doc = $doc])+
        ///
        /// [`Store`] has a constructor for each of them, and [`Store::parse`] reads such a text.
        pub fn store(mut self, store: Store) -> Self {
            self.store = store;
            self
        }
    };
    (Credentials $($others:tt)+) => {};
    (Request $($others:tt)+) => {};
}

with_options!(setters);

impl TokenProvider {
    /// A provider for `credentials`.
    pub fn builder(credentials: Credentials) -> TokenProviderBuilder {
        TokenProviderBuilder {
            credentials,
            options: Options::default(),
            allowed_hosts: None,
            store: Store::default(),
            listener: None,
            clock: Clock::default(),
        }
    }

    // variables: generated by `make generate` from src/interface.rs
    /// A provider from [`Credentials::from_env`], [`Options::from_env`] and `CLAZAR_STORE`;
    /// [`Store::parse`] reads the name of a store.
    // end of what is generated
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a variable that is missing or
    /// unusable.
    pub fn from_env() -> Result<Self, Error> {
        let mut config = Config::default();
        config.fill_from_env()?;
        config.provider()
    }

    /// The client id, which is no secret.
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Where the provider authenticates, without query and fragment.
    pub fn auth_url(&self) -> String {
        self.0.http.url().to_string()
    }

    /// A valid token: from memory as long as it is fresh. When it is due, it is renewed in the
    /// background. The calling thread waits only if there is no valid token, or for at most a second
    /// while the token is expiring. No call waits longer than the [`timeout`](Options::timeout) and a
    /// second, or with a store three times that timeout and seven seconds, even if the request hangs.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind); `InvalidArgument` also for a proxy that wants another
    /// password. All that waited for a failed token request get the same error, and until the next one
    /// is due all callers without a valid token get it at once, with the time left as its
    /// [`retry_after`](Error::retry_after). A logger, or a function for the secret, that calls this on
    /// the thread of the token request gets the valid token or [`Timeout`](crate::ErrorKind::Timeout).
    pub fn token(&self) -> Result<Arc<AccessToken>, Error> {
        finish(self.ask(None)?)
    }

    /// As [`token`](Self::token), but waits no longer than `timeout`.
    ///
    /// # Errors
    /// Also [`Timeout`](crate::ErrorKind::Timeout) when this wait ends; the token request goes on
    /// for the others, and for the next call.
    pub fn token_timeout(&self, timeout: Duration) -> Result<Arc<AccessToken>, Error> {
        finish(self.ask(Some(timeout))?)
    }

    /// As [`token`](Self::token), but as a future, which blocks no thread and needs no runtime. Any number of them
    /// wait on one thread of the provider, however long that is.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), clazar_auth::Error> {
    /// let provider = clazar_auth::TokenProvider::from_env()?;
    /// let token = provider.token_async().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`token`](Self::token).
    pub fn token_async(&self) -> TokenFuture {
        TokenFuture::new(self.clone())
    }

    /// Lends the value of the `Authorization` header to `use_it`, with the token that
    /// [`token`](Self::token) would give. With a fresh one it takes no lock, makes no allocation, and
    /// lets any number of threads run side by side.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), clazar_auth::Error> {
    /// # let provider = clazar_auth::TokenProvider::from_env()?;
    /// # let mut request = Vec::new();
    /// provider.with_authorization(|header| request.extend_from_slice(header.as_bytes()))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`token`](Self::token).
    pub fn with_authorization<R>(&self, use_it: impl FnOnce(&str) -> R) -> Result<R, Error> {
        let cached = self.0.cached();
        match self.0.if_fresh(&cached) {
            Some(token) => Ok(use_it(token.authorization())),
            None => Ok(use_it(self.token()?.authorization())),
        }
    }

    /// Gives the token to `use_it` if it is fresh: without a lock, an allocation or a system call.
    pub(crate) fn with_fresh<R>(&self, use_it: impl FnOnce(&AccessToken) -> R) -> Option<R> {
        let cached = self.0.cached();
        self.0.if_fresh(&cached).map(|token| use_it(token))
    }

    /// The hold on `token`, if that is the one in use: it tells in the cheapest way, as often as asked,
    /// whether the token may still be handed out.
    pub(crate) fn hold(&self, token: &Arc<AccessToken>) -> Option<Arc<CachedToken>> {
        self.0.cached().clone().filter(|cached| Arc::ptr_eq(&cached.token, token))
    }

    /// Whether the token of a [`hold`](Self::hold) is in use and fresh.
    pub(crate) fn is_fresh(&self, cached: &CachedToken) -> bool {
        cached.is_in_use_and_fresh(self.0.clock.now())
    }

    /// Takes a token that a program brings along into use, as if it had been sent just now.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is no token.
    pub(crate) fn put(&self, value: &str) -> Result<Arc<AccessToken>, Error> {
        self.0.put(value)
    }

    /// The token in memory if it is valid, without any I/O.
    pub fn peek(&self) -> Option<Arc<AccessToken>> {
        self.0.peek()
    }

    /// A token from a new token request, or from the one that is under way. It ignores the provider's
    /// own back-off after a failure and, once in 30 s, a wait that the server asked for.
    ///
    /// # Errors
    /// As [`token`](Self::token); a valid token then stays in use.
    pub fn refresh(&self) -> Result<Arc<AccessToken>, Error> {
        finish(self.ask_anew(None)?)
    }

    /// As [`refresh`](Self::refresh), but waits no longer than `timeout`.
    ///
    /// # Errors
    /// Also [`Timeout`](crate::ErrorKind::Timeout) when this wait ends; the token request goes on
    /// for the others, and for the next call.
    pub fn refresh_timeout(&self, timeout: Duration) -> Result<Arc<AccessToken>, Error> {
        finish(self.ask_anew(Some(timeout))?)
    }

    /// Takes `token` out of use, because the API answered 401 to it. Nothing happens if the token in
    /// use is already another, so each of many threads may call this; nor if a token was replaced
    /// for this reason less than 30 s ago, since the API then refuses for another one.
    ///
    /// A 403 is no reason to call this: the API knows the token and says no.
    pub fn invalidate(&self, token: &AccessToken) {
        self.0.invalidate(token);
    }

    /// What the provider did so far, and how it is now.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// The token, got as [`token`](Self::token) gets it, sealed with the client secret for keeping
    /// anywhere: in a database, a parameter store, or with a child process. Another provider with the
    /// same client and URL takes it with [`unseal`](Self::unseal).
    ///
    /// # Errors
    /// As [`token`](Self::token), and [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a
    /// secret of fewer than 32 characters.
    pub fn seal(&self) -> Result<Vec<u8>, Error> {
        self.0.seal(&*self.token()?)
    }

    /// Takes the token of a blob into use, unless the one in use expires later.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) if the blob is not one of this client's
    /// and its present secret's, or if its token has expired or was invalidated.
    pub fn unseal(&self, blob: &[u8]) -> Result<(), Error> {
        self.0.unseal(blob)
    }

    /// Whether there is a client secret, which a function for it may take some time to return: waits for
    /// `limit`, or for as long as a call of it may take.
    #[cfg(feature = "python")]
    pub(crate) fn has_secret_within(&self, limit: Duration) -> Result<bool, Error> {
        self.0.credentials_within(limit).map(|credentials| credentials.is_some())
    }

    /// Whether a request to `url` may carry the token: `https`, or `http` on this machine, to one
    /// of the allowed hosts.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument), saying why not.
    pub fn check_url(&self, url: &str) -> Result<(), Error> {
        self.0.allowed_hosts.check(url)
    }

    /// Ends the token request under way and drops the token. From now on, and for those that wait, each
    /// call fails with [`Closed`](crate::ErrorKind::Closed). Closing twice does nothing.
    pub fn close(&self) {
        self.0.close();
    }

    /// A token, or a wait that ends after `timeout` at the latest; never blocks.
    pub(crate) fn ask(&self, timeout: Option<Duration>) -> Result<TokenPoll, Error> {
        Ok(within(TokenPoll::new(&self.0, self.0.ask()?), timeout))
    }

    /// The token, if it is at hand; else (`None`) `tell` is called once, on a thread of the library, with what
    /// [`token`](Self::token) would have given. It is not called after an error.
    pub(crate) fn token_or_call(
        &self,
        tell: impl FnOnce(Outcome) + Send + 'static,
    ) -> Result<Option<Arc<AccessToken>>, Error> {
        match self.ask(None)? {
            TokenPoll::Ready(token) => Ok(Some(token)),
            TokenPoll::Pending(pending) => pending.call(tell).map(|()| None),
        }
    }

    /// As [`ask`](Self::ask), for a caller of [`authenticate`](crate::authenticate), which does not ask
    /// again.
    pub(crate) fn ask_once(&self) -> Result<TokenPoll, Error> {
        match self.ask(None).map_err(|error| error.with_backoff(None))? {
            TokenPoll::Pending(pending) => Ok(TokenPoll::Pending(pending.once())),
            ready => Ok(ready),
        }
    }

    /// Erases the token from memory and from the store; the next call gets a new one.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        self.0.forget()
    }

    /// Waits for a while until the store has what it was given: for a program that ends.
    pub(crate) fn wait_until_stored(&self) {
        self.0.wait_until_stored();
    }

    /// The token in the store if it is valid, without a token request, and where the store is.
    pub(crate) fn stored(&self) -> Result<(Option<AccessToken>, String), Error> {
        self.0.stored()
    }

    /// Writes to the store and reads from it; where it is.
    pub(crate) fn try_store(&self) -> Result<String, Error> {
        self.0.try_store()
    }

    /// As [`ask`](Self::ask), for [`refresh`](Self::refresh).
    pub(crate) fn ask_anew(&self, timeout: Option<Duration>) -> Result<TokenPoll, Error> {
        Ok(within(TokenPoll::new(&self.0, self.0.refresh()?), timeout))
    }
}

fn within(answer: TokenPoll, timeout: Option<Duration>) -> TokenPoll {
    match answer {
        TokenPoll::Pending(pending) => TokenPoll::Pending(pending.within(timeout)),
        ready => ready,
    }
}

fn finish(answer: TokenPoll) -> Result<Arc<AccessToken>, Error> {
    match answer {
        TokenPoll::Ready(token) => Ok(token),
        TokenPoll::Pending(pending) => pending.wait(),
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
