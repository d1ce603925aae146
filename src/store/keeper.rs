//! One token for many processes: found in the store, or fetched by one of them while the others wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::backoff_record::{BackoffRecord, Ignored};
use super::file::{self, FileStore};
#[cfg(feature = "redis")]
use super::redis::RedisStore;
use super::sealer::{self, Sealer};
use super::session::{Item, Session};
use super::{Kind, Store, Trouble};
use crate::credentials::Credentials;
use crate::env::Common;
use crate::error::{Error, ErrorKind};
use crate::random;
use crate::token::AccessToken;
use crate::trust::Trust;

/// How often those that wait look into the store, at the least.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// For how much longer than an exchange may take they wait for another process's.
const LONGEST_OVERTIME: Duration = Duration::from_secs(2);
/// For how long a failure is of interest: it tells the next one how many there were.
const FAILURE_LIFE: Duration = Duration::from_secs(3600);

/// A store of one provider's.
pub(crate) struct Keeper {
    backend: Backend,
    /// For how long to wait for another process.
    patience: Duration,
}

enum Backend {
    File(FileStore),
    #[cfg(feature = "redis")]
    Redis(RedisStore),
}

/// Which token the provider needs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish {
    /// One younger than this: none that is held already, or none that was there before `refresh`.
    pub(crate) younger_than: Option<Duration>,
    /// Not these, by their hashes: the one that is held already, and one that the API refused.
    pub(crate) not: [Option<[u8; 32]>; 2],
    /// Which failures of other processes are no reason to wait.
    pub(crate) ignored: Ignored,
    /// For how long to wait for another process, if that is less than for an exchange.
    pub(crate) patience: Option<Duration>,
}

/// The provider, as the store needs it.
pub(crate) struct User<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) sealer: &'a Sealer,
    /// The pause after an error that was the last of so many in a row.
    pub(crate) backoff: &'a dyn Fn(&Error, u32) -> Duration,
    /// Sleeps; an error once the provider is closed.
    pub(crate) pause: &'a dyn Fn(Duration) -> Result<(), Error>,
    pub(crate) tell: &'a dyn Fn(Happening),
}

/// What there is to tell of a store.
pub(crate) enum Happening {
    Hit,
    Miss,
    Trouble(Trouble),
}

impl Keeper {
    /// `None` for a provider that keeps its token in memory alone. `timeout` is that of an exchange.
    pub(crate) fn new(
        store: &Store,
        sealer: &Sealer,
        credentials: &Credentials,
        trust: &Arc<Trust>,
        timeout: Duration,
        variables: Common,
    ) -> Result<Option<Self>, Error> {
        #[cfg(not(feature = "redis"))]
        let _ = trust;
        let name = sealer.name();
        let backend = match &store.0 {
            Kind::Memory => return Ok(None),
            Kind::File(None) => {
                Backend::File(FileStore::new(file::default_folder(variables)?, name))
            }
            Kind::File(Some(folder)) => Backend::File(FileStore::new(folder.clone(), name)),
            #[cfg(feature = "redis")]
            Kind::Redis(url) => {
                Backend::Redis(RedisStore::new(url.clone(), name, trust.clone(), timeout))
            }
        };
        for secret in credentials.secrets() {
            sealer::check(&secret)?;
        }
        Ok(Some(Self { backend, patience: timeout + LONGEST_OVERTIME }))
    }

    /// The kept token if it is what is wished for, else the one that `exchange` brings. While another
    /// process makes an exchange, this one waits for what that brings.
    pub(crate) fn obtain(
        &self,
        wish: Wish,
        user: &User<'_>,
        exchange: impl FnOnce() -> Result<AccessToken, Error>,
    ) -> Result<AccessToken, Error> {
        let mut visit = Visit { user, wish, since: Instant::now(), session: None, told: false };
        visit.session = visit.note(self.open());
        let patience = wish.patience.map_or(self.patience, |wish| wish.min(self.patience));
        if let Some(token) = visit.wait(patience)? {
            (user.tell)(Happening::Hit);
            return Ok(token);
        }
        (user.tell)(Happening::Miss);
        let outcome = exchange();
        visit.leave_behind(&outcome);
        outcome
    }

    fn open(&self) -> Result<Box<dyn Session + '_>, Trouble> {
        match &self.backend {
            Backend::File(store) => Ok(Box::new(store.open())),
            #[cfg(feature = "redis")]
            Backend::Redis(store) => Ok(Box::new(store.open()?)),
        }
    }

    /// Erases what is kept.
    pub(crate) fn erase(&self) -> Result<(), Error> {
        let mut session = self.open()?;
        session.erase(Item::Failure)?;
        Ok(session.erase(Item::Token)?)
    }

    /// The token that is kept, if it lives.
    pub(crate) fn peek(
        &self,
        sealer: &Sealer,
        credentials: &Credentials,
    ) -> Result<Option<AccessToken>, Error> {
        Ok(token_in(&mut *self.open()?, sealer, credentials)?)
    }

    /// Does all that an exchange does with the store, to what stands for a token; where the store is.
    pub(crate) fn try_out(
        &self,
        sealer: &Sealer,
        credentials: &Credentials,
    ) -> Result<String, Error> {
        let mut session = self.open()?;
        session.load(Item::Token)?;
        self.lock(&mut *session)?;
        let blob = sealer.seal_text(b"not a token", &credentials.client_secret())?;
        session.save(Item::Trial, &blob, 0, self.patience)?;
        let kept = session.load(Item::Trial)?;
        session.erase(Item::Trial)?;
        if kept.is_none_or(|kept| kept.blob != blob) {
            return Err(Trouble(format!("{} loses what is written", session.location())).into());
        }
        Ok(self.location())
    }

    /// Waits for other processes as an exchange does, but not for what they bring.
    fn lock(&self, session: &mut dyn Session) -> Result<(), Trouble> {
        let since = Instant::now();
        while !session.try_lock()? {
            if since.elapsed() >= self.patience {
                return Err(Trouble(format!(
                    "{} is locked by another process",
                    session.location()
                )));
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }

    /// Where the token is kept, for people.
    pub(crate) fn location(&self) -> String {
        match &self.backend {
            Backend::File(store) => store.location(),
            #[cfg(feature = "redis")]
            Backend::Redis(store) => store.location(),
        }
    }
}

/// The use of a store for one wish. Without a session, or with one in trouble, the provider carries on
/// alone.
struct Visit<'a> {
    user: &'a User<'a>,
    wish: Wish,
    since: Instant,
    session: Option<Box<dyn Session + 'a>>,
    told: bool,
}

impl Visit<'_> {
    /// Waits for the token that is wished for, or for the turn to make an exchange (`None`).
    fn wait(&mut self, patience: Duration) -> Result<Option<AccessToken>, Error> {
        loop {
            if let Some(token) = self.find()? {
                return Ok(Some(token));
            }
            let locked = self.with(|session| session.try_lock());
            if locked != Some(false) || self.since.elapsed() >= patience {
                // The last one whose turn it was may have brought a token, or failed.
                return self.find();
            }
            (self.user.pause)(BETWEEN_LOOKS.mul_f64(random::upper_half()))?;
        }
    }

    /// The kept token if it will do; the failure of another process if its pause is not over.
    fn find(&mut self) -> Result<Option<AccessToken>, Error> {
        let User { credentials, sealer, .. } = *self.user;
        let token = self.with(|session| token_in(session, sealer, credentials)).flatten();
        let (wish, waited) = (self.wish, self.since.elapsed());
        let fits = |token: &AccessToken| {
            let age = token.age(sealer.now());
            !wish.not.contains(&Some(token.hash()))
                && wish.younger_than.is_none_or(|limit| age < limit + waited)
        };
        if let Some(token) = token.filter(fits) {
            return Ok(Some(token));
        }
        let failure = self.failure();
        let pause = failure.as_deref().and_then(|text| BackoffRecord::read(text));
        pause.and_then(|pause| pause.error(wish.ignored, sealer.now())).map_or(Ok(None), Err)
    }

    fn failure(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let kept = self.with(|session| session.load(Item::Failure)).flatten()?;
        self.user.sealer.open_text(&kept.blob, self.user.credentials)
    }

    /// Keeps the outcome of an exchange for the others.
    fn leave_behind(&mut self, outcome: &Result<AccessToken, Error>) {
        let User { credentials, sealer, backoff, .. } = *self.user;
        let secret = credentials.client_secret();
        let now = sealer.now();
        match outcome {
            Ok(token) => {
                let sealed = self.note(sealer.seal(token, &secret).map_err(Trouble::from));
                let (sent, life) = (sealer.sent(token), token.left(now));
                if let Some(blob) = sealed {
                    self.with(|session| session.save(Item::Token, &blob, sent, life));
                    self.with(|session| session.erase(Item::Failure));
                }
            }
            Err(error) if error.kind() == ErrorKind::Closed => {}
            Err(error) => {
                let last = self.failure();
                let last = last.as_deref().and_then(|text| BackoffRecord::read(text));
                let length = |count| backoff(error, count);
                let pause = BackoffRecord::after(error, last.as_ref(), length, now);
                let sealed = sealer.seal_text(&pause.write(), &secret);
                if let Some(blob) = self.note(sealed.map_err(Trouble::from)) {
                    let sent = pause.until();
                    self.with(|session| session.save(Item::Failure, &blob, sent, FAILURE_LIFE));
                }
            }
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut dyn Session) -> Result<T, Trouble>) -> Option<T> {
        let result = act(&mut **self.session.as_mut()?);
        self.note(result)
    }

    /// Tells of the first trouble.
    fn note<T>(&mut self, result: Result<T, Trouble>) -> Option<T> {
        result
            .map_err(|trouble| {
                if !std::mem::replace(&mut self.told, true) {
                    (self.user.tell)(Happening::Trouble(trouble));
                }
            })
            .ok()
    }
}

/// The token that is kept and that lives.
fn token_in(
    session: &mut dyn Session,
    sealer: &Sealer,
    credentials: &Credentials,
) -> Result<Option<AccessToken>, Trouble> {
    let Some(kept) = session.load(Item::Token)? else { return Ok(None) };
    let token = sealer.open(&kept.blob, credentials).ok_or_else(|| {
        let place = session.location();
        Trouble(format!("{place} holds nothing that this client's secret opens; it is replaced"))
    })?;
    let now = sealer.now();
    Ok(token.map(|token| match kept.left {
        Some(left) => token.shortened(left, now),
        None => token,
    }))
}
