//! Tests what is done to a store that others use too: to probe it, to erase what it keeps, and to store a token.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::request::{FetchContext, Interrupt, Progress, TokenSource};
use crate::store::session::{Backend, Holder, Item, MOST_TRIES, Session, StoredItem, Turn, View};
use crate::store::stamp::Stamp;
use crate::store::{Sealer, SharedStore, StoreError};
use crate::sys::clock::Clock;
use crate::token::AccessToken;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A store that others use too.
#[derive(Default)]
struct Used {
    /// Whether they have a token there, and a back-off.
    is_empty: bool,
    /// How often a lock is theirs.
    locked: Mutex<u32>,
    /// Which of the next commands that replace something do it; all after these.
    replaces: Mutex<Vec<bool>>,
}

impl Backend for Used {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError> {
        Ok(Box::new(self))
    }

    fn location(&self, _name: &str) -> String {
        "the store of a test".to_owned()
    }
}

impl Session for &Used {
    fn look(&mut self, _name: &str) -> Result<View, StoreError> {
        let token = || StoredItem { blob: b"a token".to_vec(), left: None };
        let token = (!self.is_empty).then(token);
        Ok(View { now: Stamp::unix(Duration::from_secs(1000)), backoff: token.clone(), token })
    }

    fn try_lock(&mut self, _name: &str, _from: Option<&Holder>) -> Result<Turn, StoreError> {
        let mut locked = self.locked.lock().unwrap();
        let turn = if *locked == 0 { Turn::Ours } else { Turn::Theirs(Holder(vec![1])) };
        *locked = locked.saturating_sub(1);
        Ok(turn)
    }

    fn replace(
        &mut self,
        _name: &str,
        _item: Item,
        _old: Option<&[u8]>,
        _new: Option<&[u8]>,
        _life: Duration,
    ) -> Result<bool, StoreError> {
        let mut replaces = self.replaces.lock().unwrap();
        Ok(if replaces.is_empty() { true } else { replaces.remove(0) })
    }
}

struct Api;

impl TokenSource for Api {
    fn fetch(&self, context: &FetchContext<'_>) -> Result<Arc<AccessToken>, Error> {
        Ok(Arc::new(AccessToken::new("token", context.clock.now(), 5 * TIMEOUT)))
    }
}

fn store(used: Used) -> SharedStore {
    store_with(used, TIMEOUT)
}

fn store_with(used: Used, timeout: Duration) -> SharedStore {
    let sealer = Sealer::new("https://api.clazar.io/authenticate/", "id", Clock::System);
    SharedStore::around(Arc::new(Api), timeout, Box::new(used), Arc::new(sealer))
}

fn credentials() -> Credentials {
    Credentials::new("id", "not-a-real-secret-0123456789abcdef").unwrap()
}

fn probed(replaces: &[bool]) -> Result<(), Error> {
    let replaces = Mutex::new(replaces.to_vec());
    store(Used { replaces, ..Used::default() }).probe(&credentials())
}

fn erased(replaces: &[bool]) -> Result<(), Error> {
    let replaces = Mutex::new(replaces.to_vec());
    store(Used { replaces, ..Used::default() }).erase(&credentials())
}

#[test]
fn a_probe_writes_and_removes_something() {
    probed(&[true, true]).unwrap();
    let taken = probed(&[false]).unwrap_err().to_string();
    assert!(taken.starts_with("the store of a test holds something else"), "{taken}");
    let lost = probed(&[true, false]).unwrap_err().to_string();
    assert!(lost.starts_with("the store of a test loses what is written"), "{lost}");
}

#[test]
fn a_probe_waits_for_its_turn() {
    store(Used { locked: Mutex::new(2), ..Used::default() }).probe(&credentials()).unwrap();
}

#[test]
fn a_probe_does_not_wait_for_ever() {
    let used = Used { locked: Mutex::new(u32::MAX), ..Used::default() };
    let error = store_with(used, Duration::ZERO).probe(&credentials()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_eq!(error.to_string(), "the store of a test is locked by another process");
}

/// It is handed out all the same.
#[test]
fn a_token_that_cannot_be_stored_is_told_of() {
    let replaces = Mutex::new(vec![false; MOST_TRIES as usize]);
    let store = store(Used { is_empty: true, replaces, ..Used::default() });
    let credentials = credentials();
    let (interrupt, progress) = (Interrupt::default(), Progress::default());
    let context = FetchContext::new(&credentials, &Clock::System, &interrupt, &progress);
    assert_eq!(store.fetch(&context).unwrap().value(), "token");
    let told: Vec<_> = context.take_notes().into_iter().map(|note| note.message).collect();
    assert_eq!(
        told,
        ["the store of a test was changed by others each time that a token was to be stored"]
    );
}

/// Three times, each with a token and a back-off.
#[test]
fn what_others_change_each_time_is_not_erased() {
    erased(&[true, true]).unwrap();
    erased(&[false, true, true, false, true, true]).unwrap();
    for unchanged in [false, true] {
        let error = erased(&[[false, unchanged]; 3].concat()).unwrap_err().to_string();
        assert!(error.contains("is changed by others; try again"), "{error}");
    }
}

/// Two times the time-out and three seconds for others, as `docs/store.md` says, less what the last poll takes;
/// and then the last commands.
#[test]
fn the_use_of_a_store_ends() {
    assert_eq!(store(Used::default()).longest_use(), 2 * TIMEOUT + Duration::from_secs(6));
}
