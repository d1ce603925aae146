//! Tests secrets that change, are looked for, or cannot be had.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{AUTHENTICATE, DAY, Fixture};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::interface::EventKind;
use crate::provider::{Listener, TokenProvider};
use crate::queue::Queue;
use crate::request::Options;
use crate::sandbox::{Answer, Sandbox};
use crate::store::Store;
use crate::token::AccessToken;

#[test]
fn a_changed_secret_is_tried_during_a_pause() {
    let fixture = Fixture::with_secret(|sandbox, secret| {
        let secret = secret.clone();
        let read = move || Ok::<_, Error>(secret.lock().unwrap().clone());
        Credentials::from_fn(sandbox.client_id(), read).unwrap()
    });
    let next = fixture.sandbox.rotate_secret();
    assert_eq!(fixture.error().kind(), ErrorKind::Credentials);
    fixture.pass(301.0);
    // Twice refused: the pause is 30 s at least.
    assert_eq!(fixture.error().kind(), ErrorKind::Credentials);
    fixture.fail_next(503, &[("Retry-After", "300")]);
    fixture.provider.refresh().unwrap_err();
    let stats = fixture.provider.stats();
    assert_eq!(fixture.requests(), 3);

    fixture.pass(29.0);
    fixture.error();
    fixture.pass(2.0);
    assert_eq!(fixture.error().retry_after(), fixture.provider.stats().backoff);
    assert_eq!(fixture.provider.stats().empty, stats.empty, "no request, no failure");
    *fixture.secret.lock().unwrap() = next;
    assert_eq!(fixture.error().kind(), ErrorKind::Server, "not asked all the time");
    fixture.pass(30.0);
    fixture.value();
    assert_eq!(fixture.requests(), 4);
}

/// On a thread of the library, and not before it is needed.
#[test]
fn a_function_for_the_secret_is_asked_by_the_first_request_or_by_unseal() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let make = |sandbox: &Arc<Sandbox>| {
        let credentials = |sandbox: &Sandbox, secret: &Arc<Mutex<String>>| {
            let (secret, threads) = (secret.clone(), threads.clone());
            let read = move || {
                threads.lock().unwrap().push(thread::current().id());
                Ok::<_, Error>(secret.lock().unwrap().clone())
            };
            Credentials::from_fn(sandbox.client_id(), read).unwrap()
        };
        Fixture::with_options(sandbox, credentials, Options::default())
    };
    let calls = || threads.lock().unwrap().len();
    let fixture = make(&Arc::new(Sandbox::start().unwrap()));
    assert_eq!(calls(), 0);
    fixture.value();
    fixture.provider.refresh().unwrap();
    let blob = fixture.provider.seal().unwrap();
    assert_eq!(calls(), 1);
    make(&fixture.sandbox).provider.unseal(&blob).unwrap();
    assert_eq!(calls(), 2);
    assert!(!threads.lock().unwrap().contains(&thread::current().id()));
}

/// A fault of the program's, such as a vault that is away, ends with it.
#[test]
fn a_function_that_fails_is_asked_again_by_the_next_look() {
    let fixture = Fixture::with_secret(|sandbox, secret| {
        let secret = secret.clone();
        let read = move || match secret.lock().unwrap().as_str() {
            "" => Err("the vault is sealed"),
            secret => Ok(secret.to_owned()),
        };
        Credentials::from_fn(sandbox.client_id(), read).unwrap()
    });
    let secret = std::mem::take(&mut *fixture.secret.lock().unwrap());
    let error = fixture.error();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.retry_after() <= Some(Duration::from_secs(2)), "{error:?}");
    *fixture.secret.lock().unwrap() = secret;
    fixture.pass(3.0);
    fixture.value();
    assert_eq!(fixture.requests(), 1);
}

type Caller = JoinHandle<Result<Arc<AccessToken>, Error>>;

/// A provider that the server has asked to wait, while a caller's look for another secret, the second
/// call of the secret's function, waits until the sender is dropped.
fn looking_for_a_secret() -> (Fixture, Caller, Sender<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (come, came) = mpsc::channel();
    let released = Mutex::new(released);
    let fixture = Fixture::with_secret(|sandbox, secret| {
        let (secret, calls) = (secret.clone(), AtomicU32::new(0));
        let read = move || {
            if calls.fetch_add(1, Ordering::SeqCst) > 0 {
                let _ = come.send(());
                let _ = released.lock().unwrap().recv();
            }
            Ok::<_, Error>(secret.lock().unwrap().clone())
        };
        Credentials::from_fn(sandbox.client_id(), read).unwrap()
    });
    fixture.fail_next(429, &[("Retry-After", "200")]);
    fixture.error();
    fixture.pass(31.0);
    let provider = fixture.provider.clone();
    let waiting = thread::spawn(move || provider.token());
    came.recv().unwrap();
    (fixture, waiting, release)
}

#[test]
fn who_waits_for_a_look_for_a_secret_gets_a_token_that_came_meanwhile() {
    let blob = |fixture: &Fixture| Fixture::with(&fixture.sandbox).provider.seal().unwrap();
    let bring: [&dyn Fn(&Fixture); 2] =
        [&|fixture| fixture.provider.unseal(&blob(fixture)).unwrap(), &|fixture| {
            drop(fixture.provider.put("not-a-real-token").unwrap())
        }];
    for bring in bring {
        let (fixture, waiting, release) = looking_for_a_secret();
        bring(&fixture);
        drop(release);
        let token = waiting.join().unwrap().unwrap();
        assert_eq!(token.value(), fixture.provider.peek().unwrap().value());
    }
    // One that is out of use again is none, and nothing is broken.
    let (fixture, waiting, release) = looking_for_a_secret();
    fixture.provider.unseal(&blob(&fixture)).unwrap();
    fixture.provider.invalidate(&fixture.provider.peek().unwrap());
    drop(release);
    let error = waiting.join().unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    fixture.value();
}

#[test]
fn refresh_does_not_wait_for_a_look_for_a_secret() {
    let (fixture, waiting, release) = looking_for_a_secret();
    fixture.provider.refresh().unwrap();
    assert_eq!(fixture.requests(), 2);
    // Who waited for the look has the error of before, and its end changes nothing.
    assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::RateLimited);
    drop(release);
    while Arc::strong_count(&fixture.provider.0) > 1 {
        thread::yield_now();
    }
    fixture.value();
    assert_eq!(fixture.requests(), 2);
}

#[test]
fn a_fallback_that_is_the_secret_itself_is_none() {
    let fixture = Fixture::with_secret(|sandbox, _| {
        let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
        credentials.fallback(sandbox.client_secret()).unwrap()
    });
    fixture.value();
    let events = fixture.events.take();
    assert!(events.iter().all(|event| event.kind != EventKind::FallbackUsed), "{events:?}");
}

/// The look that found it was ended before it could send a request.
#[test]
fn a_secret_that_no_request_was_sent_with_is_tried_by_the_next_look() {
    let (fixture, waiting, release) = looking_for_a_secret();
    *fixture.secret.lock().unwrap() = fixture.sandbox.rotate_secret();
    fixture.fail_next(429, &[("Retry-After", "200")]);
    fixture.provider.refresh().unwrap_err();
    waiting.join().unwrap().unwrap_err();
    drop(release);
    while Arc::strong_count(&fixture.provider.0) > 1 {
        thread::yield_now();
    }
    fixture.pass(31.0);
    fixture.value();
}

#[test]
fn a_secret_that_is_in_use_already_ends_no_wait() {
    let fixture = Fixture::with_secret(|sandbox, secret| {
        *secret.lock().unwrap() = "not-a-real-secret-of-yesterday".to_owned();
        let secret = secret.clone();
        let read = move || Ok::<_, Error>(secret.lock().unwrap().clone());
        let credentials = Credentials::from_fn(sandbox.client_id(), read).unwrap();
        credentials.fallback(sandbox.client_secret()).unwrap()
    });
    fixture.value();
    // At last the source gives what was its fallback.
    for secret in ["not-a-real-secret-of-yesterday".to_owned(), fixture.sandbox.client_secret()] {
        *fixture.secret.lock().unwrap() = secret;
        fixture.pass(DAY);
        fixture.fail_next(429, &[("Retry-After", "300")]);
        fixture.error();
        let requests = fixture.requests();
        for _ in 0..9 {
            fixture.pass(31.0);
            assert_eq!(fixture.error().kind(), ErrorKind::RateLimited);
        }
        assert_eq!(fixture.requests(), requests);
    }
}

/// A look for a secret that takes longer than any may has been given up.
#[test]
fn a_look_that_comes_late_does_not_replace_a_secret_that_works() {
    let (release, released) = mpsc::channel::<()>();
    let (released, calls) = (Mutex::new(released), AtomicU32::new(0));
    let credentials = |sandbox: &Sandbox, secret: &Arc<Mutex<String>>| {
        let secret = secret.clone();
        let read = move || match calls.fetch_add(1, Ordering::SeqCst) {
            1 => {
                let _ = released.lock().unwrap().recv();
                Ok("not-a-real-secret-of-yesterday".to_owned())
            }
            _ => Ok::<_, Error>(secret.lock().unwrap().clone()),
        };
        Credentials::from_fn(sandbox.client_id(), read).unwrap()
    };
    let options = Options::default().timeout(Duration::from_secs(1));
    let fixture = Fixture::with_options(&Arc::new(Sandbox::start().unwrap()), credentials, options);
    fixture.fail_next(429, &[("Retry-After", "200")]);
    fixture.error();
    fixture.pass(31.0);
    assert_eq!(fixture.error().kind(), ErrorKind::RateLimited);

    *fixture.secret.lock().unwrap() = fixture.sandbox.rotate_secret();
    fixture.provider.refresh().unwrap();
    drop(release);
    while Arc::strong_count(&fixture.provider.0) > 1 {
        thread::yield_now();
    }
    let before = fixture.requests();
    fixture.provider.refresh().unwrap();
    assert_eq!(fixture.requests(), before + 1, "the secret in use is the one that worked");
}

/// It does not pass with time, whatever the status.
#[test]
fn a_refused_client_is_not_asked_for_again_soon() {
    let fixture = Fixture::new();
    let refusal = Answer::new(503, r#"{"error":"invalid_client"}"#);
    fixture.sandbox.answer_next(AUTHENTICATE, refusal).unwrap();
    let error = fixture.error();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.retry_after() >= Some(Duration::from_secs(14)), "{error:?}");
}

/// What the store is in trouble with is told although the function for the next secret panics.
#[test]
fn what_happened_before_a_panic_is_told() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.answer_next(AUTHENTICATE, Answer::new(401, "{}")).unwrap();
    let (secret, calls) = (sandbox.client_secret(), AtomicU32::new(0));
    let read = move || {
        assert_eq!(calls.fetch_add(1, Ordering::SeqCst), 0, "a panic that the test asked for");
        Ok::<_, Error>(secret.clone())
    };
    let events = Queue::default();
    let provider = TokenProvider::builder(Credentials::from_fn(sandbox.client_id(), read).unwrap())
        .options(Options::default().auth_url(sandbox.auth_url()))
        // It is a file, and no folder.
        .store(Store::folder(std::env::current_exe().unwrap()))
        .listener(Some(Listener::Queue(events.clone())))
        .build()
        .unwrap();
    assert_eq!(provider.token().unwrap_err().kind(), ErrorKind::Internal);
    let kinds: Vec<_> = events.take().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::StoreError, EventKind::RefreshFailed]);
}
