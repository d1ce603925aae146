//! Tests what is said of a store that others change, or keep locked, each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::request::{FetchContext, Interrupt, Progress, TokenSource};
use crate::store::session::{Backend, Holder, Item, MOST_TRIES, Session, StoredItem, Turn, View};
use crate::store::stamp::Stamp;
use crate::store::{Sealer, SharedStore, StoreError};
use crate::sys::clock::Clock;
use crate::token::AccessToken;

/// A store that always says the same.
#[derive(Clone, Default)]
struct Stubborn {
    is_locked: bool,
    token: Option<&'static [u8]>,
    /// How often it replaces something, before it finds it changed.
    replaces: usize,
    replaced: Arc<AtomicUsize>,
}

impl Backend for Stubborn {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn location(&self, _name: &str) -> String {
        "the store".to_owned()
    }
}

impl Session for Stubborn {
    fn look(&mut self, _name: &str) -> Result<View, StoreError> {
        let token = self.token.map(|blob| StoredItem { blob: blob.to_vec(), left: None });
        Ok(View { now: Stamp::new("the store's", Duration::ZERO), token, backoff: None })
    }

    fn try_lock(&mut self, _name: &str, _from: Option<&Holder>) -> Result<Turn, StoreError> {
        Ok(if self.is_locked { Turn::Theirs(Holder(Vec::new())) } else { Turn::Ours })
    }

    fn replace(
        &mut self,
        _name: &str,
        _item: Item,
        _old: Option<&[u8]>,
        _new: Option<&[u8]>,
        _life: Duration,
    ) -> Result<bool, StoreError> {
        Ok(self.replaced.fetch_add(1, Ordering::SeqCst) < self.replaces)
    }
}

struct Api;

impl TokenSource for Api {
    fn fetch(&self, context: &FetchContext<'_>) -> Result<Arc<AccessToken>, Error> {
        let lifetime = Duration::from_secs(100);
        Ok(Arc::new(AccessToken::new("token", context.clock.now(), lifetime)))
    }
}

fn credentials() -> Credentials {
    Credentials::new("not-a-real-client", "not-a-real-secret-0123456789abcdef").unwrap()
}

fn shared(backend: Stubborn) -> SharedStore {
    let url = "https://api.clazar.io/authenticate/";
    let sealer = Arc::new(Sealer::new(url, "not-a-real-client", Clock::System));
    SharedStore::around(Arc::new(Api), Duration::ZERO, Box::new(backend), sealer)
}

#[test]
fn a_probe_says_what_is_in_its_way() {
    for (backend, what) in [
        (
            Stubborn { is_locked: true, ..Stubborn::default() },
            "the store is locked by another process",
        ),
        (
            Stubborn::default(),
            "the store holds something else where it is probed; try again in 2 s",
        ),
        (Stubborn { replaces: 1, ..Stubborn::default() }, "the store loses what is written"),
    ] {
        let error = shared(backend).probe(&credentials()).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Store, what));
    }
    let backend = Stubborn { replaces: 2, ..Stubborn::default() };
    shared(backend).probe(&credentials()).unwrap();
}

#[test]
fn what_others_store_again_is_not_erased_for_ever() {
    let backend = Stubborn { token: Some(b"of others"), ..Stubborn::default() };
    let replaced = backend.replaced.clone();
    let error = shared(backend).erase(&credentials()).unwrap_err();
    assert_eq!(error.to_string(), "the store is changed by others; try again");
    assert_eq!(replaced.load(Ordering::SeqCst), MOST_TRIES as usize);
}

/// It is handed out all the same.
#[test]
fn a_token_that_cannot_be_stored_is_told_of() {
    let store = shared(Stubborn::default());
    let credentials = credentials();
    let (interrupt, progress) = (Interrupt::default(), Progress::default());
    let context = FetchContext::new(&credentials, &Clock::System, &interrupt, &progress);
    assert_eq!(store.fetch(&context).unwrap().value(), "token");
    let told: Vec<_> = context.take_notes().into_iter().map(|note| note.message).collect();
    assert_eq!(told, ["the store was changed by others each time that a token was to be stored"]);
}
