//! Gets one token for many processes: from the store, or by one of them while the others wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::backoff_record::BackoffRecord;
use super::file::{self, FileStore};
#[cfg(feature = "redis")]
use super::redis::RedisStore;
use super::sealer::{self, Opened, Sealer};
use super::session::{Backend, Item, Session};
use super::{Kind, Store, StoreError};
use crate::backoff;
use crate::credentials::Credentials;
use crate::env::Common;
use crate::error::{Error, ErrorKind};
use crate::interface::EventKind;
use crate::random;
use crate::request::{FetchContext, HttpSource, TokenSource};
use crate::token::AccessToken;

/// How often those that wait look into the store, at the least.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// For how much longer than a token request may take they wait for another process's.
const LONGEST_OVERTIME: Duration = Duration::from_secs(2);
/// For how long a failure is of interest: it tells the next one how many there were.
const FAILURE_LIFE: Duration = Duration::from_secs(3600);

/// A source around another one: what one process gets serves all that share the store.
pub(crate) struct SharedStore {
    inner: Arc<HttpSource>,
    backend: Box<dyn Backend>,
    sealer: Arc<Sealer>,
    /// For how long to wait for another process.
    max_wait: Duration,
}

impl SharedStore {
    /// `None` for a provider that keeps its token in memory alone.
    pub(crate) fn new(
        store: &Store,
        inner: &Arc<HttpSource>,
        sealer: &Arc<Sealer>,
        credentials: &Credentials,
        variables: Common,
    ) -> Result<Option<Self>, Error> {
        let name = sealer.name();
        let timeout = inner.timeout();
        let backend: Box<dyn Backend> = match &store.0 {
            Kind::Memory => return Ok(None),
            Kind::File(None) => Box::new(FileStore::new(file::default_folder(variables)?, name)),
            Kind::File(Some(folder)) => Box::new(FileStore::new(folder.clone(), name)),
            #[cfg(feature = "redis")]
            Kind::Redis(url) => {
                Box::new(RedisStore::new(url.clone(), name, inner.trust().clone(), timeout))
            }
        };
        for secret in credentials.secrets() {
            sealer::check(&secret)?;
        }
        let max_wait = timeout + LONGEST_OVERTIME;
        Ok(Some(Self { inner: inner.clone(), backend, sealer: sealer.clone(), max_wait }))
    }

    /// For how long another process is waited for.
    pub(crate) fn max_wait(&self) -> Duration {
        self.max_wait
    }

    /// Where the token is kept, for people.
    pub(crate) fn location(&self) -> String {
        self.backend.location()
    }

    /// Erases what is kept.
    pub(crate) fn erase(&self) -> Result<(), Error> {
        let mut session = self.backend.open()?;
        session.erase(Item::Failure)?;
        Ok(session.erase(Item::Token)?)
    }

    /// The token that is kept, if it is valid.
    pub(crate) fn peek(&self, credentials: &Credentials) -> Result<Option<AccessToken>, Error> {
        Ok(self.token_in(&mut *self.backend.open()?, credentials)?)
    }

    /// Does all that a token request does with the store, to what stands for a token.
    pub(crate) fn probe(&self, credentials: &Credentials) -> Result<(), Error> {
        let mut session = self.backend.open()?;
        session.load(Item::Token)?;
        self.lock(&mut *session)?;
        let blob = self.sealer.seal_text(b"not a token", &credentials.client_secret())?;
        session.save(Item::Probe, &blob, 0, self.max_wait)?;
        let stored = session.load(Item::Probe)?;
        session.erase(Item::Probe)?;
        if stored.is_none_or(|stored| stored.blob != blob) {
            return Err(StoreError(format!("{} loses what is written", self.location())).into());
        }
        Ok(())
    }

    /// Waits for other processes as a token request does, but not for what they bring.
    fn lock(&self, session: &mut dyn Session) -> Result<(), StoreError> {
        let since = Instant::now();
        while !session.try_lock()? {
            if since.elapsed() >= self.max_wait {
                return Err(StoreError(format!(
                    "{} is locked by another process",
                    self.location()
                )));
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }

    /// The token that is stored and valid.
    fn token_in(
        &self,
        session: &mut dyn Session,
        credentials: &Credentials,
    ) -> Result<Option<AccessToken>, StoreError> {
        let Some(stored) = session.load(Item::Token)? else { return Ok(None) };
        match self.sealer.open(&stored.blob, credentials) {
            Opened::Token(token) => Ok(Some(match stored.left {
                Some(left) => token.shortened(left, self.sealer.now()),
                None => token,
            })),
            Opened::Expired => Ok(None),
            Opened::Unreadable => Err(StoreError(format!(
                "{} holds nothing that this client's secret opens; it is replaced",
                self.location()
            ))),
        }
    }
}

impl TokenSource for SharedStore {
    /// The stored token if it will do, else one of the inner source. While another process gets one,
    /// this one waits for what that brings.
    fn fetch(&self, context: &FetchContext<'_>) -> Result<AccessToken, Error> {
        context.progress.uses_store(true);
        let mut access = Access::new(self, context);
        let outcome = match access.wait() {
            Ok(Some(token)) => Ok(token),
            Ok(None) => {
                context.progress.uses_store(false);
                let outcome = self.inner.fetch(context);
                context.progress.uses_store(true);
                access.publish(&outcome);
                outcome
            }
            Err(error) => Err(error),
        };
        drop(access);
        context.progress.uses_store(false);
        outcome
    }
}

/// The use of the store for one token. Without a session, or with one that fails, the provider carries
/// on alone.
struct Access<'a> {
    store: &'a SharedStore,
    context: &'a FetchContext<'a>,
    since: Instant,
    session: Option<Box<dyn Session + 'a>>,
    has_reported: bool,
}

impl<'a> Access<'a> {
    fn new(store: &'a SharedStore, context: &'a FetchContext<'a>) -> Self {
        let mut access =
            Self { store, context, since: Instant::now(), session: None, has_reported: false };
        access.session = access.reported(store.backend.open());
        access
    }

    /// Waits for the token that is wanted, or for the turn to ask for one (`None`).
    fn wait(&mut self) -> Result<Option<AccessToken>, Error> {
        let max_wait = self.store.max_wait;
        let max_wait = self.context.freshness.max_wait.map_or(max_wait, |max| max.min(max_wait));
        loop {
            if let Some(token) = self.find()? {
                return Ok(Some(token));
            }
            let locked = self.with(|session| session.try_lock());
            if locked != Some(false) || self.since.elapsed() >= max_wait {
                // The last one whose turn it was may have brought a token, or failed.
                return self.find();
            }
            self.context.interrupt.pause(BETWEEN_LOOKS.mul_f64(random::upper_half()))?;
        }
    }

    /// The stored token if it will do; the failure of another process if its back-off is not over.
    fn find(&mut self) -> Result<Option<AccessToken>, Error> {
        let (store, FetchContext { credentials, freshness, .. }) = (self.store, self.context);
        let sealer = &*store.sealer;
        let token = self.with(|session| store.token_in(session, credentials)).flatten();
        let waited = self.since.elapsed();
        let fits = |token: &AccessToken| {
            let age = token.age(sealer.now());
            !freshness.not.contains(&Some(token.hash()))
                && freshness.younger_than.is_none_or(|limit| age < limit + waited)
        };
        if let Some(token) = token.filter(fits) {
            return Ok(Some(token));
        }
        let failure = self.failure();
        let record = failure.as_deref().and_then(|text| BackoffRecord::read(text));
        record.and_then(|record| record.error(freshness, sealer.now())).map_or(Ok(None), Err)
    }

    fn failure(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let stored = self.with(|session| session.load(Item::Failure)).flatten()?;
        self.store.sealer.open_text(&stored.blob, self.context.credentials)
    }

    /// Stores the outcome of a token request for the others.
    fn publish(&mut self, outcome: &Result<AccessToken, Error>) {
        match outcome {
            Ok(token) => self.publish_token(token),
            Err(error) if error.kind() == ErrorKind::Closed => {}
            Err(error) => self.publish_failure(error),
        }
    }

    fn publish_token(&mut self, token: &AccessToken) {
        let sealer = &*self.store.sealer;
        let sealed = sealer.seal(token, &self.context.credentials.client_secret());
        if let Some(blob) = self.reported(sealed.map_err(StoreError::from)) {
            let (sent, life) = (sealer.sent(token), token.left(sealer.now()));
            self.with(|session| session.save(Item::Token, &blob, sent, life));
            self.with(|session| session.erase(Item::Failure));
        }
    }

    fn publish_failure(&mut self, error: &Error) {
        let sealer = &*self.store.sealer;
        let last = self.failure();
        let last = last.as_deref().and_then(|text| BackoffRecord::read(text));
        let length = |count| backoff::for_all_processes(error, count);
        let record = BackoffRecord::after(error, last.as_ref(), length, sealer.now());
        let secret = self.context.credentials.client_secret();
        let sealed = sealer.seal_text(&record.write(), &secret);
        if let Some(blob) = self.reported(sealed.map_err(StoreError::from)) {
            self.with(|session| session.save(Item::Failure, &blob, record.until(), FAILURE_LIFE));
        }
    }

    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut dyn Session) -> Result<T, StoreError>,
    ) -> Option<T> {
        let result = act(&mut **self.session.as_mut()?);
        self.reported(result)
    }

    /// Tells of the first error; with it the store is a miss, and no more.
    fn reported<T>(&mut self, result: Result<T, StoreError>) -> Option<T> {
        let report = |error: StoreError| {
            if !std::mem::replace(&mut self.has_reported, true) {
                self.context.report(EventKind::StoreError, error.to_string());
            }
        };
        result.map_err(report).ok()
    }
}
