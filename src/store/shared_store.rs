//! Gets one token for many processes: from the store, or by one of them while the others wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::access::{Access, Patience};
use super::file::{self, FileStore};
#[cfg(feature = "redis")]
use super::redis::RedisStore;
use super::sealer::{self, Opened, Sealer};
use super::session::{Backend, Item, MOST_TRIES, Session, Turn};
use super::{Kind, Store, StoreError};
use crate::credentials::Credentials;
use crate::env::Common;
use crate::error::Error;
use crate::request::{FetchContext, HttpSource, TokenSource};
use crate::text;
use crate::token::AccessToken;

/// For how much longer than a token request may take another process's is waited for.
const OVERTIME: Duration = Duration::from_secs(2);
/// For how much longer than until the end of the request of the last one.
const SLACK: Duration = Duration::from_millis(500);
/// How long the last commands take then, each as long as it may.
const LAST_COMMANDS: Duration = Duration::from_millis(3500);
/// How often who waits for a lock looks whether it is free.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// A source around another one: what one process gets serves all that share the store.
pub(crate) struct SharedStore {
    inner: Arc<dyn TokenSource + Send + Sync>,
    /// How long a token request of the inner source may take.
    timeout: Duration,
    backend: Box<dyn Backend>,
    sealer: Arc<Sealer>,
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
        let backend: Box<dyn Backend> = match &store.0 {
            Kind::Memory => return Ok(None),
            Kind::File(None) => Box::new(FileStore::new(file::default_folder(variables)?)?),
            Kind::File(Some(folder)) => Box::new(FileStore::new(folder.clone())?),
            #[cfg(feature = "redis")]
            Kind::Redis(url) => {
                let (trust, timeout) = (inner.trust().clone(), inner.timeout());
                Box::new(RedisStore::new(url.clone(), trust, timeout))
            }
        };
        Self::check(credentials)?;
        Ok(Some(Self::around(inner.clone(), inner.timeout(), backend, sealer.clone())))
    }

    /// Whether the secrets at hand are long enough to seal with.
    pub(crate) fn check(credentials: &Credentials) -> Result<(), Error> {
        credentials.secrets().iter().try_for_each(|secret| sealer::check(secret))
    }

    pub(super) fn around(
        inner: Arc<dyn TokenSource + Send + Sync>,
        timeout: Duration,
        backend: Box<dyn Backend>,
        sealer: Arc<Sealer>,
    ) -> Self {
        Self { inner, timeout, backend, sealer }
    }

    /// For how long a look may take at most, while nothing hangs.
    pub(crate) const LONGEST_LOOK: Duration = LAST_COMMANDS;

    /// For how long the store may keep a token request at most, while nothing hangs.
    pub(crate) fn longest_use(&self) -> Duration {
        self.patience().with_others + LAST_COMMANDS
    }

    /// For how long others are waited for: one that is gone, and then one whose request takes its whole time.
    fn patience(&self) -> Patience {
        let timeout = self.timeout;
        let with_one = timeout + OVERTIME;
        Patience { with_one, with_others: with_one + timeout + SLACK }
    }

    fn access<'a>(&'a self, context: &'a FetchContext<'a>) -> Access<'a> {
        Access::new(&*self.backend, &self.sealer, self.patience(), context)
    }

    /// Where the token is kept, for people.
    pub(crate) fn location(&self, credentials: &Credentials) -> String {
        self.backend.location(&self.sealer.name(&credentials.client_secret()))
    }

    /// Erases what is kept.
    pub(crate) fn erase(&self, credentials: &Credentials) -> Result<(), Error> {
        let mut session = self.backend.open()?;
        for secret in credentials.secrets() {
            let name = self.sealer.name(&secret);
            if !erase_all(&mut *session, &name)? {
                return Err(self.backend.error(&name, "is changed by others; try again").into());
            }
        }
        Ok(())
    }

    /// A stored token that will do, without a request. A refused one gets a mark.
    pub(crate) fn look(&self, context: &FetchContext<'_>) -> Option<AccessToken> {
        context.progress.looks(true);
        let found = self.access(context).find();
        context.progress.looks(false);
        found.ok().flatten()
    }

    /// The token that is stored, if it is valid.
    pub(crate) fn peek(&self, credentials: &Credentials) -> Result<Option<AccessToken>, Error> {
        let mut session = self.backend.open()?;
        for secret in credentials.believed(None) {
            let view = session.look(&self.sealer.name(&secret))?;
            let blob = view.token.map(|stored| stored.blob).unwrap_or_default();
            if let Opened::Token(token) = self.sealer.open_from(&blob, &secret, Some(&view.now)) {
                return Ok(Some(token));
            }
        }
        Ok(None)
    }

    /// Does all that a token request does with the store, to what stands for a token.
    pub(crate) fn probe(&self, credentials: &Credentials) -> Result<(), Error> {
        let secret = credentials.client_secret();
        let name = self.sealer.name(&secret);
        let blob = self.sealer.seal_text(Item::Probe, b"not a token", &secret)?;
        let mut session = self.backend.open()?;
        session.look(&name)?;
        let (since, patience) = (Instant::now(), self.patience().with_one);
        while session.try_lock(&name, None)? != Turn::Ours {
            if since.elapsed() >= patience {
                return Err(self.backend.error(&name, "is locked by another process").into());
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
        let probe = self.backend.probe_name(&name);
        if !session.replace(&probe, Item::Probe, None, Some(&blob), patience)? {
            let again = text::seconds(patience);
            let what = format!("holds something else where it is probed; try again in {again}");
            return Err(self.backend.error(&name, &what).into());
        }
        if !session.replace(&probe, Item::Probe, Some(&blob), None, Duration::ZERO)? {
            return Err(self.backend.error(&name, "loses what is written").into());
        }
        Ok(())
    }
}

/// Whether that could be done: others may store something each time.
fn erase_all(session: &mut dyn Session, name: &str) -> Result<bool, StoreError> {
    for _ in 0..MOST_TRIES {
        let view = session.look(name)?;
        let mut is_done = true;
        for (item, stored) in [(Item::Token, view.token), (Item::Backoff, view.backoff)] {
            if let Some(stored) = stored {
                is_done &= session.replace(name, item, Some(&stored.blob), None, Duration::ZERO)?;
            }
        }
        if is_done {
            return Ok(true);
        }
    }
    Ok(false)
}

impl TokenSource for SharedStore {
    /// The stored token if it will do, else one of the inner source. While another process gets one,
    /// this one waits for what that brings.
    fn fetch(&self, context: &FetchContext<'_>) -> Result<Arc<AccessToken>, Error> {
        context.end_at_another_secret();
        context.progress.uses_store(true);
        let mut access = self.access(context);
        access.may_ask = true;
        let outcome = loop {
            match access.wait() {
                Ok(Some(token)) => {
                    access.follow_rotation();
                    match &access.refused {
                        Some(error) => access.note_failure(error),
                        None => context.progress.finds(),
                    }
                    break Ok(Arc::new(token));
                }
                Ok(None) => {
                    // To store what comes has a limit of its own.
                    context.progress.uses_store(false);
                    if let Some(outcome) = access.request(&*self.inner) {
                        break outcome;
                    }
                }
                Err(error) => {
                    context.progress.finds();
                    break Err(error);
                }
            }
        };
        drop(access);
        context.progress.uses_store(false);
        outcome
    }
}
