//! One token for many processes: found in the store, or fetched by one of them while the others wait.

use std::cell::Cell;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::file::{self, FileStore};
use super::pause::Pause;
use super::sealer::{self, Sealer};
use super::{Kind, Store, Trouble};
use crate::{AccessToken, Credentials, Error, ErrorKind, random};

/// How often those that wait look into the store, at the least.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// For how much longer than an exchange may take they wait for another process's.
const LONGEST_OVERTIME: Duration = Duration::from_secs(2);

/// A store of one provider's.
pub(crate) struct Keeper {
    store: FileStore,
    /// Where a failure is told to the other processes.
    failures: FileStore,
    /// For how long to wait for another process.
    patience: Duration,
}

/// Which token the provider needs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish {
    /// One younger than this: none that is held already, or none that was there before `refresh`.
    pub(crate) younger_than: Option<Duration>,
    /// Not these, by their hashes: the one that is held already, and one that the API refused.
    pub(crate) not: [Option<[u8; 32]>; 2],
    /// Whether to wait for no pause but one that the server asked for.
    pub(crate) is_urgent: bool,
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
    /// `None` for a provider that keeps its token in memory alone.
    pub(crate) fn new(
        store: &Store,
        sealer: &Sealer,
        credentials: &Credentials,
        timeout: Duration,
    ) -> Result<Option<Self>, Error> {
        let folder = match &store.0 {
            Kind::Memory => return Ok(None),
            Kind::File(None) => file::default_folder()?,
            Kind::File(Some(folder)) => folder.clone(),
        };
        for secret in credentials.secrets() {
            sealer::check(&secret)?;
        }
        let store = FileStore::new(folder, sealer.name());
        let failures = store.beside("failed");
        Ok(Some(Self { store, failures, patience: timeout + LONGEST_OVERTIME }))
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
            let token = self.load(user.sealer, user.credentials).unwrap_or_else(|error| {
                trouble(error);
                None
            })?;
            let age = token.age(user.sealer.now());
            let fits = !wish.not.contains(&Some(token.hash()))
                && wish.younger_than.is_none_or(|limit| age < limit + wished.elapsed());
            fits.then_some(token)
        };
        let lock = loop {
            if let Some(token) = find() {
                (user.tell)(Happening::Hit);
                return Ok(token);
            }
            if let Some(error) = self.paused(wish, user) {
                return Err(error);
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
        // The last holder of the lock may have brought one, or failed.
        if let Some(token) = find() {
            (user.tell)(Happening::Hit);
            return Ok(token);
        }
        if let Some(error) = self.paused(wish, user) {
            return Err(error);
        }
        (user.tell)(Happening::Miss);
        let outcome = exchange();
        if let Err(error) = self.note_down(&outcome, user) {
            trouble(error);
        }
        drop(lock);
        outcome
    }

    fn note_down(
        &self,
        outcome: &Result<AccessToken, Error>,
        user: &User<'_>,
    ) -> Result<(), Trouble> {
        let secret = user.credentials.client_secret();
        let in_vain = |error: Error| Trouble(error.to_string());
        match outcome {
            Ok(token) => {
                self.store.save(&user.sealer.seal(token, &secret).map_err(in_vain)?)?;
                self.failures.erase()
            }
            Err(error) if error.kind() == ErrorKind::Closed => Ok(()),
            Err(error) => {
                let text = self.failure(user);
                let last = text.as_deref().and_then(|text| Pause::read(text));
                let length = |count| (user.backoff)(error, count);
                let pause = Pause::after(error, last.as_ref(), length, user.sealer.now());
                let sealed = user.sealer.seal_text(&pause.write(), &secret);
                self.failures.save(&sealed.map_err(in_vain)?)
            }
        }
    }

    /// What the last failed exchange of any process says to one with this wish.
    fn paused(&self, wish: Wish, user: &User<'_>) -> Option<Error> {
        Pause::read(&self.failure(user)?)?.error(wish.is_urgent, user.sealer.now())
    }

    fn failure(&self, user: &User<'_>) -> Option<Zeroizing<Vec<u8>>> {
        user.sealer.open_text(&self.failures.load().ok()??, user.credentials)
    }

    /// The token that is kept and that lives.
    fn load(
        &self,
        sealer: &Sealer,
        credentials: &Credentials,
    ) -> Result<Option<AccessToken>, Trouble> {
        let Some(blob) = self.store.load()? else { return Ok(None) };
        sealer.open(&blob, credentials).ok_or_else(|| {
            let place = self.store.place();
            Trouble(format!(
                "{place} holds nothing that this client's secret opens; it is replaced"
            ))
        })
    }

    /// Erases what is kept.
    #[cfg(feature = "python")]
    pub(crate) fn erase(&self) -> Result<(), Error> {
        self.failures.erase()?;
        Ok(self.store.erase()?)
    }

    /// The token that is kept, if it lives.
    #[cfg(feature = "python")]
    pub(crate) fn peek(
        &self,
        sealer: &Sealer,
        credentials: &Credentials,
    ) -> Result<Option<AccessToken>, Error> {
        self.load(sealer, credentials).map_err(Error::from)
    }

    /// Where the token is kept, for people.
    pub(crate) fn place(&self) -> String {
        self.store.place()
    }
}
