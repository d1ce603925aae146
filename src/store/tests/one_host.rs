//! Tests one host at a store that answers as the test says: late, or as if another host had its turn.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::request::{FetchContext, Freshness, Interrupt, Progress, Refused, TokenSource};
use crate::secret::Secret;
use crate::store::session::{Backend, Holder, Item, Session, StoredItem, Turn, View};
use crate::store::stamp::Stamp;
use crate::store::{Sealer, SharedStore, StoreError};
use crate::sys::clock::{Boot, Clock, Moment, Simulated};
use crate::token::{AccessToken, BETWEEN_REPLACEMENTS};

const CLIENT: &str = "not-a-real-client";
const SECRET: &str = "not-a-real-secret-0123456789abcdef";
const LIFETIME: Duration = Duration::from_secs(100);
/// Of a host, while its request was under way.
const STANDSTILL: Duration = Duration::from_secs(10);

/// The clocks of all hosts, each of which is a machine of its own.
#[derive(Debug, Default)]
struct Time(Mutex<Duration>);

impl Time {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn pass(&self, length: Duration) {
        *self.0.lock().unwrap() += length;
    }
}

#[derive(Debug)]
struct Clocks {
    time: Arc<Time>,
    machine: &'static str,
    origin: Instant,
}

impl Simulated for Clocks {
    fn now(&self) -> Moment {
        let now = self.time.now().as_secs_f64();
        Moment::at(now, 1e9 + now)
    }

    fn instant(&self) -> Instant {
        self.origin + self.time.now()
    }

    fn boot(&self) -> Boot {
        Boot { id: self.machine.to_owned(), uptime: self.time.now() }
    }

    fn pause(&self, length: Duration) {
        self.time.pass(length);
    }
}

fn clock(time: &Arc<Time>, machine: &'static str) -> Clock {
    Clock::Simulated(Arc::new(Clocks { time: time.clone(), machine, origin: Instant::now() }))
}

fn sealer(clock: &Clock) -> Sealer {
    Sealer::new("https://api.clazar.io/authenticate/", CLIENT, clock.clone())
}

type Change = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

/// A store with one name, and what happens to its answers.
#[derive(Default)]
struct Store {
    token: Option<Vec<u8>>,
    backoff: Option<Vec<u8>>,
    /// How long the store keeps it.
    left: Option<Duration>,
    /// Until when another host has its turn.
    held_until: Duration,
    /// How long the answer to the next look is under way.
    late: Duration,
    /// What another host stores while a request is made, in which this host stands still.
    meanwhile: Option<Vec<u8>>,
    /// How long the host's clocks did, but not that of the store.
    host_stood_still: Duration,
    /// What another host makes of the next token before its host learns that it is stored.
    changed_by_another: Option<Change>,
    /// What another host, whose turn it is, makes of the token before it ends.
    changed_in_its_turn: Option<Vec<u8>>,
    looks: u32,
    writes: u32,
    /// How long the last request may take, if there is a limit.
    limit: Option<Duration>,
}

#[derive(Clone)]
struct Shared {
    time: Arc<Time>,
    store: Arc<Mutex<Store>>,
}

impl Shared {
    fn new() -> Self {
        Self { time: Arc::default(), store: Arc::default() }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    fn stamp(&self) -> Stamp {
        let since = Duration::from_secs(5000) + self.store().host_stood_still;
        Stamp::new("the store's", since + self.time.now())
    }
}

impl Backend for Shared {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn location(&self, _name: &str) -> String {
        "the store of a test".to_owned()
    }
}

impl Session for Shared {
    fn look(&mut self, _name: &str) -> Result<View, StoreError> {
        let (token, backoff, late) = {
            let mut store = self.store();
            store.looks += 1;
            let token = store.token.clone().map(|blob| StoredItem { blob, left: store.left });
            let backoff = store.backoff.clone().map(|blob| StoredItem { blob, left: None });
            (token, backoff, std::mem::take(&mut store.late))
        };
        let view = View { now: self.stamp(), token, backoff };
        self.time.pass(late);
        Ok(view)
    }

    fn try_lock(&mut self, _name: &str, _from: Option<&Holder>) -> Result<Turn, StoreError> {
        let mut store = self.store();
        if let Some(changed) = store.changed_in_its_turn.take() {
            store.token = Some(changed);
        } else if self.time.now() >= store.held_until {
            return Ok(Turn::Ours);
        }
        Ok(Turn::Theirs(Holder(vec![1])))
    }

    /// The answer that is lost is asked for again, and then says what there is by then.
    fn replace(
        &mut self,
        _name: &str,
        item: Item,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        _life: Duration,
    ) -> Result<bool, StoreError> {
        let mut store = self.store();
        if matches!(item, Item::Backoff) {
            store.backoff = new.map(<[u8]>::to_vec);
            return Ok(true);
        }
        if store.token.as_deref() != old {
            return Ok(false);
        }
        store.writes += 1;
        store.token = new.map(<[u8]>::to_vec);
        let (Some(new), Some(change)) = (new, store.changed_by_another.take()) else {
            return Ok(true);
        };
        store.token = Some(change(new));
        Ok(false)
    }
}

/// An API that answers at once.
struct Api {
    shared: Shared,
    /// How late the store's answer to the look after that is.
    late: Duration,
    failure: Option<Error>,
}

impl TokenSource for Api {
    fn fetch(&self, context: &FetchContext<'_>) -> Result<Arc<AccessToken>, Error> {
        let limit = context.limit().map(|limit| limit.all(context.clock.instant()));
        let mut store = self.shared.store();
        (store.late, store.limit) = (self.late, limit);
        if let Some(blob) = store.meanwhile.take() {
            store.token = Some(blob);
            store.host_stood_still = STANDSTILL;
        }
        drop(store);
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        Ok(Arc::new(AccessToken::new("token", context.clock.now(), LIFETIME)))
    }
}

/// A host at that store, and one use of it.
fn with_host<T>(
    shared: &Shared,
    late: Duration,
    act: impl FnOnce(&SharedStore, &FetchContext<'_>) -> T,
) -> T {
    let api = Api { shared: shared.clone(), late, failure: None };
    with_api(api, act)
}

fn with_api<T>(api: Api, act: impl FnOnce(&SharedStore, &FetchContext<'_>) -> T) -> T {
    let shared = api.shared.clone();
    let (clock, api) = (clock(&shared.time, "this one"), Arc::new(api));
    let sealer = Arc::new(sealer(&clock));
    let store = SharedStore::around(api, Duration::from_secs(20), Box::new(shared.clone()), sealer);
    let credentials = Credentials::new(CLIENT, SECRET).unwrap();
    let (interrupt, progress) = (Interrupt::default(), Progress::default());
    act(&store, &FetchContext::new(&credentials, &clock, &interrupt, &progress))
}

/// Of the same host.
fn like<'a>(context: &FetchContext<'a>) -> FetchContext<'a> {
    FetchContext::new(context.credentials, context.clock, context.interrupt, context.progress)
}

/// What a look finds of a token of this age, and whether what is requested next takes the place of a refused one.
fn look_at(token: AccessToken, age: Duration, freshness: Freshness) -> (bool, bool) {
    let shared = Shared::new();
    let sealer = sealer(&clock(&shared.time, "another"));
    let blob = sealer.seal_for(&token, &Secret::new(SECRET), Some(shared.stamp())).unwrap();
    shared.store().token = Some(blob);
    shared.time.pass(age);
    with_host(&shared, Duration::ZERO, |store, context| {
        let context = like(context).with(freshness, None);
        (store.look(&context).is_some(), context.replaces())
    })
}

fn new_token() -> AccessToken {
    AccessToken::new("token", clock(&Arc::default(), "another").now(), LIFETIME)
}

/// A token that another host requests now, as it stores that.
fn sealed(shared: &Shared, value: &str) -> Vec<u8> {
    sealed_at(shared, value, shared.stamp())
}

fn sealed_at(shared: &Shared, value: &str, stamp: Stamp) -> Vec<u8> {
    let clock = clock(&shared.time, "another");
    let token = AccessToken::new(value, clock.now(), LIFETIME);
    sealer(&clock).seal_for(&token, &Secret::new(SECRET), Some(stamp)).unwrap()
}

/// By the clock of the store.
#[test]
fn the_token_that_was_requested_last_is_kept() {
    let shared = Shared::new();
    let earlier = sealed(&shared, "earlier");
    shared.time.pass(STANDSTILL);
    let later = Stamp::new("the store's", Duration::from_secs(5000) + STANDSTILL * 3 / 2);
    for (meanwhile, writes) in [(earlier, 1), (sealed_at(&shared, "later", later), 0)] {
        *shared.store() = Store { meanwhile: Some(meanwhile), ..Store::default() };
        with_host(&shared, Duration::ZERO, |store, context| store.fetch(context).map(drop))
            .unwrap();
        assert_eq!(shared.store().writes, writes);
    }
}

/// Requested in the same moment, by the clock of the store.
#[test]
fn what_was_there_before_is_no_newer_token() {
    let shared = Shared::new();
    let blob = sealed(&shared, "token");
    shared.store().token = Some(blob.clone());
    let freshness = Freshness { held: Some(new_token().digest()), ..Freshness::default() };
    with_host(&shared, Duration::ZERO, |store, context| {
        store.fetch(&like(context).with(freshness, None)).map(drop)
    })
    .unwrap();
    assert!(shared.store().token.as_ref().is_some_and(|now| *now != blob));
}

#[test]
fn an_interrupted_request_is_no_reason_to_fall_back_on_a_token() {
    let shared = Shared::new();
    let blob = sealed(&shared, "old");
    shared.store().token = Some(blob);
    shared.time.pass(LIFETIME - Duration::from_secs(4));
    let failure = Some(Error::new(ErrorKind::Closed, "the provider was closed"));
    let api = Api { shared: shared.clone(), late: Duration::ZERO, failure };
    let outcome = with_api(api, |store, context| store.fetch(context).map(drop));
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn a_token_ends_the_back_off_that_is_stored() {
    let shared = Shared::new();
    let fetch = |failure| {
        let api = Api { shared: shared.clone(), late: Duration::ZERO, failure };
        with_api(api, |store, context| store.fetch(context).map(drop))
    };
    let unavailable = Error::new(ErrorKind::Server, "it is away").with_http_status(503);
    fetch(Some(unavailable)).unwrap_err();
    assert!(shared.store().backoff.is_some());
    shared.time.pass(Duration::from_secs(60));
    fetch(None).unwrap();
    assert!(shared.store().backoff.is_none());
}

#[test]
fn a_token_that_is_too_old_or_is_held_already_will_not_do() {
    let age = LIFETIME / 2;
    let finds = |freshness| look_at(new_token(), age, freshness).0;
    let younger_than = |limit| Freshness { younger_than: Some(limit), ..Freshness::default() };
    assert!(finds(younger_than(age + Duration::from_secs(1))));
    assert!(!finds(younger_than(age - Duration::from_secs(1))));
    let held = |hash| Freshness { held: Some(hash), ..Freshness::default() };
    assert!(finds(held([0; 32])) && !finds(held(new_token().digest())));
}

#[test]
fn what_takes_the_place_of_a_refused_token_is_not_replaced_soon() {
    let replaces = |token, age| look_at(token, age, Freshness::default()).1;
    assert!(replaces(new_token().replacing(), BETWEEN_REPLACEMENTS / 2));
    assert!(!replaces(new_token().replacing(), BETWEEN_REPLACEMENTS * 2));
    assert!(!replaces(new_token(), BETWEEN_REPLACEMENTS / 2));
}

/// When the store answered, the token was valid.
#[test]
fn a_host_that_was_stopped_while_it_asked_erases_no_valid_token() {
    let shared = Shared::new();
    let blob = sealed(&shared, "token");
    shared.store().token = Some(blob.clone());
    shared.time.pass(LIFETIME / 2);
    shared.store().late = LIFETIME;
    assert!(with_host(&shared, Duration::ZERO, SharedStore::look).is_none(), "it has expired");
    assert!(shared.store().token == Some(blob), "it is still there");
    assert_eq!(shared.store().looks, 1);

    // By the answer to this look it has expired.
    assert!(with_host(&shared, Duration::ZERO, SharedStore::look).is_none());
    assert!(shared.store().token.is_none());
}

/// It was stored, its answer was lost, and meanwhile the API refused it to another host. The second try comes
/// upon the mark of that one, and has learned the time of the store with less delay.
#[test]
fn a_token_is_not_stored_again_over_its_own_mark() {
    let shared = Shared::new();
    let sealer = sealer(&clock(&shared.time, "another"));
    let mark = move |blob: &[u8]| sealer.refused(blob, &Secret::new(SECRET)).unwrap();
    shared.store().changed_by_another = Some(Box::new(mark));
    let late = Duration::from_millis(500);
    with_host(&shared, late, |store, context| store.fetch(context).map(drop)).unwrap();
    let store = shared.store();
    assert_eq!(store.writes, 1);
    assert!(store.changed_by_another.is_none() && store.looks > 3, "there was a second try");
}

/// It was seen in its last part, by a host that then waited for another, to which the API refused it.
#[test]
fn a_refused_token_is_not_fallen_back_on() {
    let shared = Shared::new();
    let blob = sealed(&shared, "token");
    shared.time.pass(LIFETIME - Duration::from_secs(4));
    let fetch = |shared: &Shared| {
        let failure = Some(Error::new(ErrorKind::Transport, "it is away"));
        let api = Api { shared: shared.clone(), late: Duration::ZERO, failure };
        with_api(api, |store, context| (store.fetch(context), context.progress.is_found()))
    };
    shared.store().token = Some(blob.clone());
    let (token, is_found) = fetch(&shared);
    assert_eq!(token.unwrap().value(), "token", "it is better than none");
    assert!(is_found, "the request brought none");

    let sealer = sealer(&clock(&shared.time, "another"));
    shared.store().changed_in_its_turn = sealer.refused(&blob, &Secret::new(SECRET));
    assert_eq!(fetch(&shared).0.unwrap_err().kind(), ErrorKind::Transport);
}

/// The rest is for a request of one's own.
#[test]
fn another_host_is_waited_for_for_half_of_what_is_left_of_a_token() {
    let shared = Shared::new();
    let blob = sealed(&shared, "old");
    let left = Duration::from_secs(4);
    shared.time.pass(LIFETIME - left);
    *shared.store() = Store { token: Some(blob), held_until: Duration::MAX, ..Store::default() };
    let token = with_host(&shared, Duration::ZERO, |store, context| store.fetch(context)).unwrap();
    assert_eq!(token.value(), "token");
    let waited = shared.time.now() + left - LIFETIME;
    assert!(waited >= left / 2 && waited < left / 2 + Duration::from_secs(1), "{waited:?}");
    // To a few milliseconds, by another clock.
    let limit = shared.store().limit.unwrap();
    assert!(limit.abs_diff((left - waited) / 2) < Duration::from_millis(10), "{limit:?}");
    // Every few hundredths of a second at first, and of a tenth of the wait later.
    let looks = shared.store().looks;
    assert!((20..200).contains(&looks), "{looks} looks");
}

#[test]
fn what_the_store_says_is_left_was_so_before_its_answer() {
    let shared = Shared::new();
    let blob = sealed(&shared, "token");
    let (left, late) = (LIFETIME * 8 / 10, LIFETIME / 10);
    *shared.store() = Store { token: Some(blob), left: Some(left), late, ..Store::default() };
    let found = with_host(&shared, Duration::ZERO, |store, context| {
        store.look(context).unwrap().left(context.clock.now())
    });
    assert_eq!(found, left - late);
}

/// It is handed out before it is stored, and that takes long.
#[test]
fn a_token_that_was_refused_meanwhile_is_not_stored() {
    let shared = Shared::new();
    let handed_out = Mutex::new(Refused::default());
    let deliver = |outcome: &Result<Arc<AccessToken>, Error>, _| {
        handed_out.lock().unwrap().add(outcome.as_ref().unwrap());
    };
    let refused = || handed_out.lock().unwrap().clone();
    with_host(&shared, Duration::ZERO, |store, context| {
        store.fetch(&like(context).delivering(&deliver, &refused)).map(drop)
    })
    .unwrap();
    assert_eq!(shared.store().writes, 0);
}
