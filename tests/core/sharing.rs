//! What processes that share a store believe of one another, whatever the store is.

use std::io::Write;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, ErrorKind, Options, Store, TokenProvider};
use test_support::certificates::{Authority, VALID};
use test_support::server::{Server, TOKEN_BODY, http, ok, read_request};

use crate::store::Folder;
use crate::{SECRET, wait_until};

const AUTHENTICATE: &str = "/authenticate/";
/// Runs a test with each kind of store, each time with an empty one.
pub fn with_each_store(test: impl Fn(&Store)) {
    let folder = Folder::new();
    test(&Store::folder(&folder.0));
    #[cfg(feature = "redis")]
    test(&Store::redis(&test_support::redis::Redis::start(&[]).url()).unwrap());
}

fn provider(sandbox: &Sandbox, store: &Store) -> TokenProvider {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    built(credentials, Options::default().auth_url(sandbox.auth_url()), store)
}

pub fn built(credentials: Credentials, options: Options, store: &Store) -> TokenProvider {
    TokenProvider::builder(credentials).options(options).store(store.clone()).build().unwrap()
}

fn value(provider: &TokenProvider) -> String {
    provider.token().unwrap().value().to_owned()
}

/// One that does not trust the server's authority, and one that does.
#[test]
fn what_a_process_itself_has_trouble_with_stops_no_other() {
    with_each_store(|store| {
        let authority = Authority::new("sharing");
        let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
        let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
        let options = || Options::default().auth_url(&url);
        let credentials = || Credentials::new("not-a-real-client", SECRET).unwrap();
        let stranger = built(credentials(), options(), store);
        assert_eq!(stranger.token().unwrap_err().kind(), ErrorKind::Tls);
        built(credentials(), options().ca_file(&authority.pem_file), store).token().unwrap();
        // It is in its own back-off, of at least 15 s, and finds the token all the same.
        let start = Instant::now();
        wait_until(|| stranger.token().is_ok());
        assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
        assert_eq!(stranger.stats().store_hits, 1);
    });
}

#[test]
fn in_a_back_off_the_store_is_looked_at() {
    with_each_store(|store| {
        let sandbox = Sandbox::start().unwrap();
        let waiting = provider(&sandbox, store);
        // Of 15 s at the least.
        sandbox.answer_next(AUTHENTICATE, Answer::new(400, "")).unwrap();
        waiting.token().unwrap_err();
        let token = provider(&sandbox, store).refresh().unwrap();
        let start = Instant::now();
        wait_until(|| waiting.token().is_ok_and(|found| found.value() == token.value()));
        assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
        assert_eq!(sandbox.requests(AUTHENTICATE), 2);
    });
}

#[test]
fn an_error_that_another_process_was_told_says_so() {
    with_each_store(|store| {
        let sandbox = Sandbox::start().unwrap();
        sandbox.answer_next(AUTHENTICATE, Answer::new(400, "")).unwrap();
        let told = provider(&sandbox, store).token().unwrap_err().to_string();
        let other = provider(&sandbox, store);
        // It finds the error, and then it has it.
        for _ in 0..2 {
            let error = other.token().unwrap_err().to_string();
            let ago = error.strip_prefix(&told).unwrap();
            let ago = ago.strip_prefix(" (from the store, ").unwrap();
            ago.strip_suffix(" s ago)").unwrap().parse::<u64>().unwrap();
        }
        assert_eq!(sandbox.requests(AUTHENTICATE), 1);
        // What it is told itself is no news of another.
        sandbox.answer_next(AUTHENTICATE, Answer::new(400, "")).unwrap();
        assert_eq!(other.refresh().unwrap_err().to_string(), told);
    });
}

#[test]
fn a_refused_token_is_served_to_nobody_else() {
    with_each_store(|store| {
        let sandbox = Sandbox::start().unwrap();
        let first = provider(&sandbox, store);
        let refused = first.token().unwrap();
        first.invalidate(&refused);
        // A process that asks at this very moment may be as early.
        wait_until(|| value(&provider(&sandbox, store)) != refused.value());
        assert_eq!(sandbox.requests(AUTHENTICATE), 2);
        assert_ne!(value(&first), refused.value());
        assert_eq!(sandbox.requests(AUTHENTICATE), 2);
    });
}

/// The API refuses all tokens: its reason is another one.
#[test]
fn fifty_providers_force_one_request_in_thirty_seconds() {
    with_each_store(|store| {
        let sandbox = Sandbox::start().unwrap();
        let providers: Vec<_> = (0..50).map(|_| provider(&sandbox, store)).collect();
        let refuse = |one: &TokenProvider| one.invalidate(&one.token().unwrap());
        for _ in 0..3 {
            providers.iter().for_each(refuse);
        }
        // Who comes later, and finds the replacement, is bound as well.
        refuse(&provider(&sandbox, store));
        providers.iter().for_each(|one| drop(one.token().unwrap()));
        assert_eq!(sandbox.requests(AUTHENTICATE), 2);
    });
}

/// Each with a secret of its own, as in a rotation.
#[test]
fn two_valid_secrets_do_not_replace_each_others_token() {
    with_each_store(|store| {
        let server = Server::new(|mut stream, requests| {
            let Some(request) = read_request(&mut stream) else { return };
            requests.lock().unwrap().push(request);
            let _ = stream.write_all(ok(TOKEN_BODY).as_bytes());
        });
        let secrets = [SECRET, "not-a-real-secret-0123456789abcdef-next"];
        for _ in 0..3 {
            for secret in secrets {
                let credentials = Credentials::new("not-a-real-client", secret).unwrap();
                let options = Options::default().auth_url(server.url());
                built(credentials, options, store).token().unwrap();
            }
        }
        assert_eq!(server.requests().len(), 2);
    });
}

/// Refuses secrets with the word "wrong" in them.
fn refusing_server() -> Server {
    Server::new(|mut stream, requests| {
        let Some(request) = read_request(&mut stream) else { return };
        let is_wrong = String::from_utf8_lossy(&request).contains("wrong");
        requests.lock().unwrap().push(request);
        let answer = if is_wrong { http("401 Unauthorized", "", "") } else { ok(TOKEN_BODY) };
        let _ = stream.write_all(answer.as_bytes());
    })
}

/// A refusal of one secret says nothing of another.
#[test]
fn the_refusal_of_a_secret_is_for_those_who_have_it() {
    with_each_store(|store| {
        let server = refusing_server();
        let one = |secret: &str| {
            let credentials = Credentials::new("not-a-real-client", secret).unwrap();
            built(credentials, Options::default().auth_url(server.url()), store).token()
        };
        let wrong = "not-a-real-wrong-secret-0123456789abcdef";
        for _ in 0..3 {
            assert_eq!(one(wrong).unwrap_err().kind(), ErrorKind::Credentials);
        }
        assert_eq!(server.requests().len(), 1);
        // Nor does it keep anybody from a secret that it has besides, which is tried at once.
        let both = Credentials::new("not-a-real-client", wrong).unwrap();
        let both = both.fallback(SECRET).unwrap();
        built(both, Options::default().auth_url(server.url()), store).token().unwrap();
        assert_eq!(server.requests().len(), 2);
        one(SECRET).unwrap();
        assert_eq!(server.requests().len(), 2);
    });
}

/// Whoever finds a token of the fallback learns from the store that the other secret is refused, and only then.
#[test]
fn a_secret_is_refused_once_to_all_who_have_the_next() {
    let has_next = |request: &Vec<u8>| String::from_utf8_lossy(request).contains(SECRET);
    for first in ["not-a-real-wrong-secret-0123456789abcdef", "not-a-real-secret-that-is-as-good"] {
        with_each_store(|store| {
            let server = refusing_server();
            let options = || Options::default().auth_url(server.url());
            let alone = |secret| Credentials::new("not-a-real-client", secret).unwrap();
            let both = || built(alone(first).fallback(SECRET).unwrap(), options(), store);
            let is_wrong = first.contains("wrong");
            let earlier = if is_wrong { both() } else { built(alone(SECRET), options(), store) };
            earlier.token().unwrap();
            let other = both();
            other.token().unwrap();
            assert_eq!(other.stats().store_hits, 1);
            // The secret in use is the one that works.
            let in_use = if is_wrong { SECRET } else { first };
            let blob = other.seal().unwrap();
            built(alone(in_use), options(), store).unseal(&blob).unwrap();
            other.refresh().unwrap();
            let expected: &[bool] = if is_wrong { &[false, true, true] } else { &[true, false] };
            let sent: Vec<_> = server.requests().iter().map(has_next).collect();
            assert_eq!(sent, expected);
            // Who has no other one asks all the same.
            assert_eq!(built(alone(first), options(), store).token().is_err(), is_wrong);
            assert_eq!(server.requests().len(), expected.len() + usize::from(is_wrong));
        });
    }
}
