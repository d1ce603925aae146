//! One token for many processes: found in the store, or fetched by one of them while the others wait.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::file::{self, FileStore};
use super::record::Record;
use super::seal::{self, Identity, SHORTEST_SECRET};
use super::{Kind, Store, Trouble};
use crate::credentials::Secret;
use crate::sys::clock::{Boot, Clock};
use crate::{AccessToken, Error, random};

/// How often those that wait look into the store, at the least.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// For how much longer than an exchange may take they wait for another process's.
const LONGEST_OVERTIME: Duration = Duration::from_secs(2);

/// A store of one provider's.
pub(crate) struct Keeper {
    store: FileStore,
    identity: Identity,
    /// For how long to wait for another process.
    patience: Duration,
}

/// Which token the provider needs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish {
    /// One younger than this: none that is held already, or none that was there before `refresh`.
    pub(crate) younger_than: Option<Duration>,
    /// Not this one, by its hash: the API refused it.
    pub(crate) not: Option<[u8; 32]>,
}

/// The provider, as the store needs it.
pub(crate) struct User<'a> {
    /// The client secret in use.
    pub(crate) secret: &'a dyn Fn() -> Arc<Secret>,
    pub(crate) clock: &'a Clock,
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
    /// `None` for a provider that keeps its token in memory alone.
    pub(crate) fn new(
        store: &Store,
        auth_url: &str,
        client_id: &str,
        secret: &Secret,
        timeout: Duration,
    ) -> Result<Option<Self>, Error> {
        let folder = match &store.0 {
            Kind::Memory => return Ok(None),
            Kind::File(None) => file::default_folder()?,
            Kind::File(Some(folder)) => folder.clone(),
        };
        check_secret(secret)?;
        let identity = Identity::new(auth_url, client_id);
        Ok(Some(Self::in_folder(folder, identity, timeout)))
    }

    fn in_folder(folder: PathBuf, identity: Identity, timeout: Duration) -> Self {
        let store = FileStore::new(folder, identity.name());
        Self { store, identity, patience: timeout + LONGEST_OVERTIME }
    }

    /// The kept token if it is what is wished for, else the one that `exchange` brings. While another
    /// process makes an exchange, this one waits for what that brings.
    pub(crate) fn obtain(
        &self,
        wish: Wish,
        user: &User<'_>,
        exchange: impl FnOnce() -> Result<AccessToken, Error>,
    ) -> Result<AccessToken, Error> {
        let wished = Instant::now();
        let told = Cell::new(false);
        let trouble = |trouble| {
            if !told.replace(true) {
                (user.tell)(Happening::Trouble(trouble));
            }
        };
        let find = || {
            let token = self.load(&(user.secret)(), user.clock).unwrap_or_else(|error| {
                trouble(error);
                None
            })?;
            let age = token.age(user.clock.now());
            let fits = wish.not.is_none_or(|refused| token.hash() != refused)
                && wish.younger_than.is_none_or(|limit| age < limit + wished.elapsed());
            fits.then_some(token)
        };
        let lock = loop {
            if let Some(token) = find() {
                (user.tell)(Happening::Hit);
                return Ok(token);
            }
            match self.store.try_lock() {
                Ok(None) if wished.elapsed() < self.patience => {
                    (user.pause)(BETWEEN_LOOKS.mul_f64(random::upper_half()))?;
                }
                Ok(lock) => break lock,
                Err(error) => {
                    trouble(error);
                    break None;
                }
            }
        };
        // The last holder of the lock may have brought one.
        if let Some(token) = find() {
            (user.tell)(Happening::Hit);
            return Ok(token);
        }
        (user.tell)(Happening::Miss);
        let token = exchange()?;
        if let Err(error) = self.seal(&token, user).and_then(|blob| self.store.save(&blob)) {
            trouble(error);
        }
        drop(lock);
        Ok(token)
    }

    /// The token that is kept and that lives.
    fn load(&self, secret: &Secret, clock: &Clock) -> Result<Option<AccessToken>, Trouble> {
        let Some(blob) = self.store.load()? else { return Ok(None) };
        let text = seal::open(&self.identity, secret, &blob);
        let text = text.ok_or_else(|| {
            let place = self.store.place();
            Trouble(format!(
                "{place} holds nothing that this client's secret opens; it is replaced"
            ))
        })?;
        let record = Record::read(&text);
        Ok(record.and_then(|record| record.token(clock.now(), Boot::now().as_ref())))
    }

    fn seal(&self, token: &AccessToken, user: &User<'_>) -> Result<Vec<u8>, Trouble> {
        let boot = Boot::now();
        let record = Record::of(token, user.clock.now(), boot.as_ref()).write();
        let trouble = || Trouble("a token could not be sealed, for want of random numbers".into());
        seal::seal(&self.identity, &(user.secret)(), &record).ok_or_else(trouble)
    }

    /// Erases what is kept.
    #[cfg(feature = "python")]
    pub(crate) fn erase(&self) -> Result<(), Error> {
        self.store.erase().map_err(Error::from)
    }

    /// The token that is kept, if it lives.
    #[cfg(feature = "python")]
    pub(crate) fn peek(
        &self,
        secret: &Secret,
        clock: &Clock,
    ) -> Result<Option<AccessToken>, Error> {
        self.load(secret, clock).map_err(Error::from)
    }

    /// Where the token is kept, for people.
    pub(crate) fn place(&self) -> String {
        self.store.place()
    }
}

fn check_secret(secret: &Secret) -> Result<(), Error> {
    if secret.expose().chars().count() < SHORTEST_SECRET {
        return Err(Error::invalid(format!(
            "the client secret has fewer than {SHORTEST_SECRET} characters, too few to seal a token \
             with; use the memory store"
        )));
    }
    Ok(())
}
