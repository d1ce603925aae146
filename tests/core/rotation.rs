//! What processes that share a store do when a client secret is replaced, and what its last holder can still do.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use clazar_auth::{Credentials, Error, ErrorKind, Options, Store, TokenProvider};
#[cfg(feature = "redis")]
use test_support::redis::Redis;
use test_support::server::{Server, TOKEN_BODY, http, ok, read_request};

use crate::sharing::{built, with_each_store};
use crate::store::Folder;
use crate::{SECRET as NEXT, wait_until};

const CLIENT: &str = "not-a-real-client";
const FIRST: &str = "not-a-real-first-secret-0123456789abcdef";

/// Answers each secret in its own way, at first with a token.
struct Api {
    server: Server,
    answers: Arc<Mutex<HashMap<&'static str, String>>>,
    /// Whether the next secret is answered only after a request with the first one.
    holds_back: Arc<AtomicBool>,
    /// How long an answer takes.
    takes: Arc<Mutex<Duration>>,
}

fn token(name: &str) -> String {
    ok(&TOKEN_BODY.replace("a-real-token", name))
}

fn value(provider: &TokenProvider) -> String {
    provider.token().unwrap().value().to_owned()
}

fn has(request: &[u8], secret: &str) -> bool {
    String::from_utf8_lossy(request).contains(secret)
}

impl Api {
    fn start() -> Self {
        let answers = [FIRST, NEXT].map(|secret| (secret, token("a-real-token")));
        let answers = Arc::new(Mutex::new(HashMap::from(answers)));
        let (given, holds_back) = (answers.clone(), Arc::<AtomicBool>::default());
        let takes = Arc::<Mutex<Duration>>::default();
        let (holds, length) = (holds_back.clone(), takes.clone());
        let server = Server::new(move |mut stream, requests| {
            let Some(request) = read_request(&mut stream) else { return };
            let by_secret = given.lock().unwrap().clone();
            let (secret, answer) = by_secret.iter().find(|(it, _)| has(&request, it)).unwrap();
            requests.lock().unwrap().push(request);
            if *secret == NEXT && holds.load(Ordering::SeqCst) {
                wait_until(|| requests.lock().unwrap().iter().any(|other| has(other, FIRST)));
            }
            let length = *length.lock().unwrap();
            thread::sleep(length);
            let _ = stream.write_all(answer.as_bytes());
        });
        Self { server, answers, holds_back, takes }
    }

    fn answer(&self, secret: &'static str, answer: String) {
        self.answers.lock().unwrap().insert(secret, answer);
    }

    fn refuse(&self, secret: &'static str) {
        self.answer(secret, http("401 Unauthorized", "", r#"{"error":"invalid_client"}"#));
    }

    /// How many requests came with the first secret, and with the next one.
    fn requests(&self) -> [usize; 2] {
        let requests = self.server.requests();
        [FIRST, NEXT].map(|secret| requests.iter().filter(|it| has(it, secret)).count())
    }

    fn provider(&self, credentials: Credentials, store: &Store) -> TokenProvider {
        built(credentials, Options::default().auth_url(self.server.url()), store)
    }

    fn with_both(&self, store: &Store) -> TokenProvider {
        self.provider(alone(FIRST).fallback(NEXT).unwrap(), store)
    }
}

fn alone(secret: &str) -> Credentials {
    Credentials::new(CLIENT, secret).unwrap()
}

/// Twenty providers, each with credentials of its own, whose file or function gives another secret by the time that
/// the API refuses the first.
#[test]
fn a_secret_that_changes_is_refused_once_to_all_who_read_it() {
    let read = |path: PathBuf| move || std::fs::read_to_string(&path);
    for is_file in [true, false] {
        with_each_store(|store| {
            let (api, folder) = (Api::start(), Folder::new());
            std::fs::create_dir_all(&folder.0).unwrap();
            let path = folder.0.join("secret");
            std::fs::write(&path, FIRST).unwrap();
            let start = |_| {
                let credentials = if is_file {
                    Credentials::from_file(CLIENT, &path)
                } else {
                    Credentials::from_fn(CLIENT, read(path.clone()))
                };
                api.provider(credentials.unwrap(), store)
            };
            let providers: Vec<_> = (0..20).map(start).collect();
            let tokens: Vec<_> = providers.iter().map(|one| one.token().unwrap()).collect();
            std::fs::write(&path, NEXT).unwrap();
            api.refuse(FIRST);
            api.answer(NEXT, token("a-next-token"));
            thread::scope(|scope| {
                for (one, token) in providers.iter().zip(tokens) {
                    scope.spawn(move || {
                        one.invalidate(&token);
                        assert_eq!(value(one), "not-a-next-token");
                    });
                }
            });
            assert_eq!(api.requests(), [2, 1], "a file: {is_file}");
        });
    }
}

/// One process that the API told, and one that found it in the store.
#[test]
fn who_has_the_revoked_secret_neither_stops_nor_steers_those_who_know() {
    let forgeries =
        [token("a-forged-token"), http("503 Service Unavailable", "Retry-After: 200\r\n", "")];
    for forgery in forgeries {
        with_each_store(|store| {
            let api = Api::start();
            api.refuse(FIRST);
            let told = [api.with_both(store), api.with_both(store)];
            let token = told.each_ref().map(|one| one.token().unwrap())[0].clone();
            assert_eq!(api.requests(), [1, 1]);
            // What such a holder would write comes here from an API that lies to it.
            api.answer(FIRST, forgery.clone());
            let _ = api.provider(alone(FIRST), store).refresh();
            api.answer(NEXT, self::token("a-next-token"));
            for one in &told {
                one.invalidate(&token);
                assert_eq!(value(one), "not-a-next-token");
            }
            assert_eq!(api.requests(), [2, 2]);
        });
    }
}

/// The wait is for those who have that secret.
#[test]
fn what_the_api_says_to_the_next_secret_is_for_those_who_have_it() {
    with_each_store(|store| {
        let api = Api::start();
        api.refuse(FIRST);
        api.answer(NEXT, http("429 Too Many Requests", "Retry-After: 200\r\n", ""));
        for _ in 0..2 {
            assert_eq!(api.with_both(store).token().unwrap_err().http_status(), Some(429));
            let error = api.provider(alone(NEXT), store).token().unwrap_err();
            assert_eq!(error.http_status(), Some(429));
        }
        assert_eq!(api.requests(), [1, 1]);
    });
}

/// It is in use again by those to whom the next one is refused, and then that one counts for nothing.
#[test]
fn a_secret_that_works_again_is_believed_again() {
    with_each_store(|store| {
        let api = Api::start();
        api.refuse(FIRST);
        let [told, other] = [api.with_both(store), api.with_both(store)];
        let next = [&told, &other].map(|one| one.token().unwrap())[0].clone();
        api.answer(FIRST, token("another-token"));
        api.refuse(NEXT);
        told.refresh().unwrap();
        // The other one knows of the first that it was refused.
        other.invalidate(&next);
        let new = api.with_both(store);
        let another = new.token().unwrap();
        let found = [another.value(), &value(&other)].map(|value| value == "not-another-token");
        assert_eq!((found, api.requests()), ([true, true], [2, 2]));
        api.answer(NEXT, token("a-forged-token"));
        api.provider(alone(NEXT), store).refresh().unwrap();
        api.answer(FIRST, token("a-third-token"));
        for one in [&told, &new] {
            one.invalidate(&another);
            assert_eq!(value(one), "not-a-third-token");
        }
        assert_eq!(api.requests(), [3, 3]);
    });
}

/// A process with the next secret asks at the same time.
#[test]
fn who_is_refused_waits_for_others_that_have_the_next_secret() {
    with_each_store(|store| {
        let api = Api::start();
        api.refuse(FIRST);
        api.holds_back.store(true, Ordering::SeqCst);
        let [early, late] = [api.provider(alone(NEXT), store), api.with_both(store)];
        thread::scope(|scope| {
            scope.spawn(|| early.token().unwrap());
            wait_until(|| api.requests() == [0, 1]);
            late.token().unwrap();
        });
        assert_eq!(api.requests(), [1, 1]);
        // There was no token yet, so a request was made, and refused; and then there was one.
        let stats = late.stats();
        assert_eq!((stats.empty.failed, stats.store_hits, stats.store_misses), (1, 1, 1));
    });
}

/// The store has the back-off of a process that has no other secret.
#[test]
fn whose_secret_was_refused_to_others_reads_it_again_once() {
    with_each_store(|store| {
        let api = Api::start();
        api.refuse(FIRST);
        let calls = Arc::<AtomicU32>::default();
        let reading = |next: &'static str| {
            let calls = calls.clone();
            calls.store(0, Ordering::SeqCst);
            let read = move || {
                let is_first = calls.fetch_add(1, Ordering::SeqCst) == 0;
                Ok::<_, Error>(if is_first { FIRST } else { next }.to_owned())
            };
            api.provider(Credentials::from_fn(CLIENT, read).unwrap(), store)
        };
        api.provider(alone(FIRST), store).token().unwrap_err();
        let unchanged = reading(FIRST);
        for _ in 0..50 {
            assert_eq!(unchanged.token().unwrap_err().kind(), ErrorKind::Credentials);
        }
        assert_eq!((calls.load(Ordering::SeqCst), api.requests()), (2, [1, 0]));
        // Nor more often while it waits for another one, and looks again and again.
        *api.takes.lock().unwrap() = Duration::from_millis(500);
        let waiting = reading(FIRST);
        thread::scope(|scope| {
            scope.spawn(|| api.provider(alone(FIRST), store).refresh().unwrap_err());
            wait_until(|| api.requests() == [2, 0]);
            waiting.refresh().unwrap_err();
        });
        // Whoever waits is refused itself in the end, and then it is read once more.
        assert_eq!((calls.load(Ordering::SeqCst), api.requests()), (3, [3, 0]));
        reading(NEXT).token().unwrap();
        assert_eq!((calls.load(Ordering::SeqCst), api.requests()[1]), (2, 1));
    });
}

/// The refusal is still known when the token is renewed, whatever the last ones store that have no other secret.
#[cfg(feature = "redis")]
#[test]
fn a_refusal_is_known_for_as_long_as_the_token_that_followed_it() {
    let (api, redis) = (Api::start(), Redis::start(&[]));
    let store = Store::redis(&redis.url()).unwrap();
    api.refuse(FIRST);
    api.with_both(&store).token().unwrap();
    api.provider(alone(FIRST), &store).token().unwrap_err();
    assert_eq!(api.requests(), [2, 1]);
    redis.pass(Duration::from_secs(23 * 3600));
    api.with_both(&store).refresh().unwrap();
    assert_eq!(api.requests(), [2, 2]);
}
