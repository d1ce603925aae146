//! Tests processes that share a store, each with a clock of its own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::provider::event::EventKind;
use crate::store::Store;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("clazar-auth-clocks-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process whose wall clock is so many seconds ahead.
fn process(sandbox: &Arc<Sandbox>, folder: &Folder, ahead: f64) -> Fixture {
    with_store(sandbox, Store::folder(&folder.0), ahead)
}

fn with_store(sandbox: &Arc<Sandbox>, store: Store, ahead: f64) -> Fixture {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    with_credentials(sandbox, credentials, store, ahead)
}

fn with_credentials(
    sandbox: &Arc<Sandbox>,
    credentials: Credentials,
    store: Store,
    ahead: f64,
) -> Fixture {
    let mut fixture = Fixture::with(sandbox);
    fixture.step(0.0, ahead);
    fixture.provider = TokenProvider::builder(credentials)
        .options(Options::default().auth_url(sandbox.auth_url()))
        .clock(Clock::Set(fixture.clock.clone()))
        .listener(Some(Listener::Queue(fixture.events.clone())))
        .store(store)
        .build()
        .unwrap();
    fixture
}

/// A day ahead and a day behind.
#[test]
fn a_wrong_wall_clock_costs_one_request_at_the_most() {
    for ahead in [DAY, -DAY, 600.0] {
        let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
        process(&sandbox, &folder, 0.0).value();
        process(&sandbox, &folder, ahead).value();
        for _ in 0..8 {
            process(&sandbox, &folder, 0.0).value();
            process(&sandbox, &folder, ahead).value();
        }
        assert!(sandbox.requests(AUTHENTICATE) <= 2, "{ahead}");
    }
}

/// The clock was 40 minutes ahead when the API was last unavailable, and is right now.
#[test]
fn a_corrected_clock_makes_no_back_off_longer() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let ahead = process(&sandbox, &folder, 2400.0);
    ahead.fail_next(400, &[]);
    ahead.error();
    // A clock that was wrong then is no reason to wait any longer now.
    let left = process(&sandbox, &folder, 0.0).error().retry_after().unwrap();
    assert!(left <= Duration::from_secs(30), "{left:?}");
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn what_is_stored_can_be_seen_and_erased() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let first = process(&sandbox, &folder, 0.0);
    let value = first.value();
    let (token, place) = first.provider.stored().unwrap();
    assert_eq!(token.unwrap().value(), value);
    assert_eq!(first.provider.try_store().unwrap(), place);
    let left = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name != "folder.lock").count(), 1, "a probe leaves nothing");
    assert!(PathBuf::from(place).starts_with(&folder.0));
    first.provider.forget().unwrap();
    assert!(first.provider.stored().unwrap().0.is_none());

    // So can a back-off.
    first.fail_next(400, &[]);
    first.error();
    first.provider.forget().unwrap();
    assert_ne!(process(&sandbox, &folder, 0.0).value(), value);
    assert_eq!(sandbox.requests(AUTHENTICATE), 3);
}

#[test]
fn a_token_that_was_found_is_of_no_request() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let requested = [(); 2].map(|()| {
        let fixture = process(&sandbox, &folder, 0.0);
        fixture.value();
        fixture.events.take().iter().map(|event| event.request.is_some()).collect::<Vec<_>>()
    });
    assert_eq!(requested, [[true], [false]]);
}

/// The one of a secret that was refused before a token was found with the next one.
#[test]
fn each_request_is_told_of_once_whatever_came_of_it() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let first = process(&sandbox, &folder, 0.0);
    let (secret, calls) = (sandbox.client_secret(), AtomicU32::new(0));
    let read = move || {
        Ok::<_, Error>(match calls.fetch_add(1, Ordering::SeqCst) {
            0 => "not-a-real-secret-that-was-replaced-0123".to_owned(),
            _ => {
                first.value();
                secret.clone()
            }
        })
    };
    let credentials = Credentials::from_fn(sandbox.client_id(), read).unwrap();
    let second = with_credentials(&sandbox, credentials, Store::folder(&folder.0), 0.0);
    second.value();
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
    let events = second.events.take();
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.request.is_some())).collect();
    assert_eq!(told, [(EventKind::RefreshFailed, true), (EventKind::Refreshed, false)]);
    let error = events[0].error.as_ref().unwrap();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Credentials, Some(401)));
    assert_eq!(second.provider.stats().empty.failed, 1);
}

#[test]
fn a_failure_that_was_found_is_none_of_ones_own() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let (first, second) = (process(&sandbox, &folder, 0.0), process(&sandbox, &folder, 0.0));
    for _ in 0..3 {
        first.fail_next(400, &[]);
        first.error();
        first.pass(300.0);
    }
    second.pass(600.0);
    // Three in a row: at least 60 s. The real time that the store's clock shows has hardly passed.
    let found = second.error().retry_after().unwrap();
    assert_eq!(second.provider.stats().empty.failed, 0);
    second.pass(found.as_secs_f64());
    second.fail_next(400, &[]);
    let own = second.provider.refresh().unwrap_err().retry_after().unwrap();
    assert!(own <= Duration::from_secs(30), "{own:?}: the first failure of its own");
}

/// Not only by those that never had a token.
#[test]
fn a_wait_that_another_was_asked_for_is_kept_by_who_has_an_expired_token() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let all = [(); 3].map(|()| process(&sandbox, &folder, 0.0));
    for process in &all {
        process.value();
        process.pass(DAY + 1.0);
    }
    all[0].fail_next(429, &[("Retry-After", "200")]);
    for process in &all {
        assert_eq!(process.error().kind(), ErrorKind::RateLimited);
    }
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
}

/// It learns of it from the store, and sends a request in spite of it.
#[test]
fn a_refresh_that_fails_keeps_a_wait_that_another_was_asked_for() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let (first, second) = (process(&sandbox, &folder, 0.0), process(&sandbox, &folder, 0.0));
    first.fail_next(429, &[("Retry-After", "200")]);
    first.error();
    second.fail_next(400, &[]);
    for _ in 0..3 {
        let error = second.provider.refresh().unwrap_err();
        assert!(error.retry_after() > Some(Duration::from_secs(190)), "{error:?}");
        assert!(second.error().retry_after() > Some(Duration::from_secs(190)));
    }
    assert_eq!(sandbox.requests(AUTHENTICATE), 2, "one of them once in thirty seconds");
    second.pass(31.0);
    second.provider.refresh().unwrap();
}

#[test]
fn a_refresh_that_fails_keeps_the_longer_one_of_the_waits_that_two_secrets_have() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let other = "not-a-real-secret-that-comes-next-012345";
    let new = |secret: &str| Credentials::new(sandbox.client_id(), secret).unwrap();
    let process =
        |credentials| with_credentials(&sandbox, credentials, Store::folder(&folder.0), 0.0);
    let limited = process(new(&sandbox.client_secret()));
    limited.fail_next(429, &[("Retry-After", "200")]);
    limited.error();
    let limited_too = process(new(other));
    limited_too.fail_next(429, &[("Retry-After", "30")]);
    limited_too.error();
    let both = process(new(&sandbox.client_secret()).fallback(other).unwrap());
    for _ in 0..2 {
        both.fail_next(400, &[]);
        let error = both.provider.refresh().unwrap_err();
        assert!(error.retry_after() > Some(Duration::from_secs(190)), "{error:?}");
    }
    assert_eq!(sandbox.requests(AUTHENTICATE), 3);
}

/// The store may have lost it since.
#[test]
fn that_a_secret_is_refused_is_said_again_with_the_next_token() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let (old, next) = (sandbox.client_secret(), sandbox.rotate_secret());
    let process = || {
        let credentials = Credentials::new(sandbox.client_id(), &*old).unwrap();
        let credentials = credentials.fallback(&*next).unwrap();
        with_credentials(&sandbox, credentials, Store::folder(&folder.0), 0.0)
    };
    let first = process();
    first.value();
    first.provider.forget().unwrap();
    first.provider.refresh().unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 3, "one with the old secret");
    let second = process();
    second.value();
    second.provider.refresh().unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 4, "none with the old secret");
}

/// In its last part a token is worth one request, and no second one.
#[test]
fn a_request_in_the_last_part_keeps_a_wait_that_another_was_asked_for() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let (first, second) = (process(&sandbox, &folder, 0.0), process(&sandbox, &folder, 0.0));
    let (_, value) = (first.value(), second.value());
    first.pass(DAY + 1.0);
    first.fail_next(429, &[("Retry-After", "200")]);
    first.error();
    second.pass(DAY - 25.0);
    second.fail_next(500, &[]);
    second.fail_next(500, &[]);
    second.fail_next(500, &[]);
    for _ in 0..20 {
        assert_eq!(second.value(), value);
        second.settle();
        second.pass(1.0);
    }
    assert_eq!(sandbox.requests(AUTHENTICATE), 5, "one, with its three attempts");
}

/// The store does not answer, and the back-off ends while it is looked at.
#[cfg(feature = "redis")]
#[test]
fn a_request_that_is_due_waits_for_no_look() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let sandbox = Arc::new(Sandbox::start().unwrap());
    let fixture = with_store(&sandbox, Store::redis(&url).unwrap(), 0.0);
    fixture.fail_next(503, &[("Retry-After", "200")]);
    fixture.error();
    fixture.pass(40.0);
    fixture.error();
    assert!(fixture.provider.0.flight().lock().unwrap().in_flight().is_some(), "it looks");
    fixture.pass(300.0);
    fixture.value();
    assert_eq!(fixture.requests(), 2);
}

#[test]
fn a_new_process_tries_for_more_than_the_last_part_of_a_token() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let old = process(&sandbox, &folder, 0.0).value();
    // Twenty seconds are left.
    let late = || process(&sandbox, &folder, DAY - 20.0);
    sandbox.answer_next(AUTHENTICATE, Answer::new(404, "")).unwrap();
    let second = late();
    assert_eq!(second.value(), old, "better than none, since the request failed");
    let failed = |event: &Event| event.kind == EventKind::RefreshFailed;
    second.settle();
    assert!(second.events.take().iter().any(failed));
    assert_ne!(late().value(), old);
    assert_eq!(sandbox.requests(AUTHENTICATE), 3);
}

/// The next request does not wait for what the server asked for, so nobody is told to wait.
#[test]
fn a_failure_with_which_a_stored_token_is_handed_out_names_no_wait() {
    let (sandbox, folder) = (Arc::new(Sandbox::start().unwrap()), Folder::new());
    let old = process(&sandbox, &folder, 0.0).value();
    let late = process(&sandbox, &folder, DAY - 20.0);
    late.fail_next(429, &[("Retry-After", "200")]);
    assert_eq!(late.value(), old);
    late.settle();
    let events = late.events.take();
    let failed = events.iter().find(|event| event.kind == EventKind::RefreshFailed).unwrap();
    let of_requests = events.iter().filter(|event| event.request.is_some());
    let kinds: Vec<_> = of_requests.map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::RefreshFailed], "one request, one outcome");
    let error = failed.error.as_ref().unwrap();
    assert_eq!((error.http_status(), error.retry_after()), (Some(429), None));
    assert!(failed.expires_in <= Some(Duration::from_secs(20)), "{failed:?}");
    assert_ne!(late.value(), old);
    assert_eq!(sandbox.requests(AUTHENTICATE), 3);
}
