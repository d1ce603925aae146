//! Tests what is done to a store for people: to probe it, and to erase what it keeps.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::credentials::Credentials;
use crate::error::Error;
use crate::request::{FetchContext, TokenSource};
use crate::store::session::{Backend, Holder, Item, Session, StoredItem, Turn, View};
use crate::store::stamp::Stamp;
use crate::store::{Sealer, SharedStore, StoreError};
use crate::sys::clock::Clock;
use crate::token::AccessToken;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A store with a token that is used by others too.
#[derive(Default)]
struct Used {
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
        let token = Some(StoredItem { blob: b"a token".to_vec(), left: None });
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

struct NoApi;

impl TokenSource for NoApi {
    fn fetch(&self, _context: &FetchContext<'_>) -> Result<Arc<AccessToken>, Error> {
        Err(Error::internal())
    }
}

fn store(used: Used) -> SharedStore {
    let sealer = Sealer::new("https://api.clazar.io/authenticate/", "id", Clock::System);
    SharedStore::around(Arc::new(NoApi), TIMEOUT, Box::new(used), Arc::new(sealer))
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
