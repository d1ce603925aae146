//! The provider under clocks that a test sets; the sandbox at the other end is real.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Event, Listener, TokenProvider};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::exchange::Options;
use crate::queue::Queue;
use crate::sandbox::{Answer, Sandbox};
use crate::sys::clock::{Clock, Moment};
use crate::token::AccessToken;

const AUTHENTICATE: &str = "/authenticate/";
const DAY: f64 = 86_400.0;

struct Scene {
    sandbox: Arc<Sandbox>,
    provider: TokenProvider,
    clock: Arc<Mutex<Moment>>,
    /// What a function gives as the secret.
    secret: Arc<Mutex<String>>,
    events: Queue<Event>,
}

impl Scene {
    fn new() -> Self {
        Self::with(&Arc::new(Sandbox::start().unwrap()))
    }

    fn with(sandbox: &Arc<Sandbox>) -> Self {
        let secret = sandbox.client_secret();
        Self::build(sandbox, |sandbox, _| Credentials::new(sandbox.client_id(), secret).unwrap())
    }

    fn with_secret(credentials: impl FnOnce(&Sandbox, &Arc<Mutex<String>>) -> Credentials) -> Self {
        Self::build(&Arc::new(Sandbox::start().unwrap()), credentials)
    }

    fn build(
        sandbox: &Arc<Sandbox>,
        credentials: impl FnOnce(&Sandbox, &Arc<Mutex<String>>) -> Credentials,
    ) -> Self {
        Self::with_options(sandbox, credentials, Options::default())
    }

    fn with_options(
        sandbox: &Arc<Sandbox>,
        credentials: impl FnOnce(&Sandbox, &Arc<Mutex<String>>) -> Credentials,
        options: Options,
    ) -> Self {
        let sandbox = sandbox.clone();
        let clock = Arc::new(Mutex::new(Moment::at(1000.0, 1e9)));
        let secret = Arc::new(Mutex::new(sandbox.client_secret()));
        let credentials = credentials(&sandbox, &secret);
        let events = Queue::default();
        let provider = TokenProvider::builder(credentials)
            .options(options.auth_url(sandbox.auth_url()))
            .clock(Clock::Set(clock.clone()))
            .listener(Some(Listener::Queue(events.clone())))
            .build()
            .unwrap();
        Self { sandbox, provider, clock, secret, events }
    }

    /// Lets time pass by both clocks.
    fn pass(&self, seconds: f64) {
        self.step(seconds, seconds);
    }

    fn step(&self, monotonic: f64, wall: f64) {
        self.clock.lock().unwrap().step(monotonic, wall);
    }

    fn value(&self) -> String {
        self.provider.token().unwrap().value().to_owned()
    }

    fn error(&self) -> Error {
        self.provider.token().unwrap_err()
    }

    fn requests(&self) -> u64 {
        self.sandbox.requests(AUTHENTICATE)
    }

    fn fail_next(&self, status: u16, headers: &[(&str, &str)]) {
        let answer = headers.iter().fold(Answer::new(status, ""), |a, (n, v)| a.header(*n, *v));
        self.sandbox.answer_next(AUTHENTICATE, answer);
    }

    /// Waits for the exchange under way, if there is one.
    fn settle(&self) {
        let flight = self.provider.0.flight();
        let work = flight.lock().unwrap().in_flight();
        if let Some(work) = work {
            work.wait(None);
        }
    }
}

#[test]
fn a_stale_token_is_served_at_once_and_renewed_behind_the_back() {
    let scene = Scene::new();
    let first = scene.value();
    scene.pass(DAY - 3601.0);
    assert_eq!(scene.value(), first);
    assert_eq!(scene.requests(), 1, "it is fresh");
    scene.pass(3601.0 - 1000.0);
    assert_eq!(scene.value(), first);
    scene.settle();
    assert_eq!(scene.requests(), 2);
    assert_ne!(scene.value(), first);
    let stats = scene.provider.stats();
    assert_eq!((stats.empty.succeeded, stats.proactive.succeeded), (1, 1));
    assert_eq!((stats.waited, stats.served_stale), (1, 1));
}

#[test]
fn in_its_last_part_a_caller_waits_for_the_next_token() {
    let scene = Scene::new();
    let first = scene.value();
    scene.pass(DAY - 20.0);
    assert_ne!(scene.value(), first);
    assert_eq!(scene.requests(), 2);
}

#[test]
fn in_its_last_part_a_caller_waits_a_second_at_most() {
    let scene = Scene::new();
    let first = scene.value();
    scene.pass(DAY - 20.0);
    scene.sandbox.set_delay(Duration::from_secs(3600));
    assert_eq!(scene.value(), first);
    assert_eq!(scene.provider.stats().served_stale, 1);
    scene.provider.close();
}

#[test]
fn in_its_last_part_a_failure_leaves_the_token_in_use() {
    let scene = Scene::new();
    let first = scene.value();
    scene.pass(DAY - 20.0);
    scene.fail_next(400, &[]);
    assert_eq!(scene.value(), first);
    assert_eq!(scene.value(), first);
    assert_eq!(scene.requests(), 2);
}

#[test]
fn past_its_end_a_token_is_never_served() {
    let scene = Scene::new();
    let first = scene.value();
    scene.pass(DAY);
    assert!(scene.provider.peek().is_none());
    scene.fail_next(400, &[]);
    assert_eq!(scene.error().kind(), ErrorKind::Rejected);
    scene.pass(301.0);
    assert_ne!(scene.value(), first);
}

#[test]
fn a_stepped_clock_costs_one_exchange_at_the_most() {
    for (step, requests) in [(7200.0, 2), (-7200.0, 1)] {
        let scene = Scene::new();
        scene.sandbox.set_lifetime(Duration::from_secs(3600));
        scene.value();
        scene.step(1.0, step);
        for _ in 0..100 {
            scene.pass(1.0);
            let token = scene.provider.token().unwrap();
            assert!(token.age(*scene.clock.lock().unwrap()) < token.lifetime());
        }
        scene.step(1.0, -step);
        for _ in 0..100 {
            scene.pass(1.0);
            scene.value();
        }
        assert_eq!(scene.requests(), requests, "a step of {step} s and back");
    }
}

#[test]
fn a_suspended_machine_wakes_without_its_token() {
    let scene = Scene::new();
    let first = scene.value();
    // The monotonic clock stands still meanwhile.
    scene.step(0.1, DAY + 1.0);
    assert!(scene.provider.peek().is_none());
    assert_ne!(scene.value(), first);
    assert_eq!(scene.requests(), 2);
}

#[test]
fn without_a_token_callers_fail_at_once_until_the_pause_is_over() {
    let scene = Scene::new();
    scene.fail_next(400, &[]);
    let first = scene.error();
    let error = scene.error();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Rejected, Some(400)));
    assert_eq!(first.retry_after(), error.retry_after(), "whoever gets it");
    let pause = error.retry_after().unwrap().as_secs_f64();
    assert!((15.0..=30.0).contains(&pause), "{pause}");
    assert_eq!(scene.provider.stats().backoff, error.retry_after());
    assert_eq!(scene.requests(), 1);
    scene.pass(pause + 0.001);
    scene.value();
    assert_eq!(scene.provider.stats().backoff, None);
}

#[test]
fn refresh_skips_our_own_pause() {
    let scene = Scene::new();
    scene.fail_next(400, &[]);
    scene.error();
    scene.provider.refresh().unwrap();
    assert_eq!(scene.requests(), 2);
}

/// What is left of `wait` after `age`, with up to 10 % and 3 s on top.
fn is_what_is_left(left: Option<Duration>, wait: f64, age: f64) {
    let left = left.unwrap().as_secs_f64();
    assert!((wait - age..wait * 1.1 + 3.0 - age + 0.01).contains(&left), "{left}");
}

#[test]
fn refresh_passes_a_wait_that_the_server_asked_for_once_in_thirty_seconds() {
    let scene = Scene::new();
    let limit = || scene.fail_next(429, &[("Retry-After", "200")]);
    limit();
    is_what_is_left(scene.error().retry_after(), 200.0, 0.0);
    limit();
    is_what_is_left(scene.provider.refresh().unwrap_err().retry_after(), 200.0, 0.0);
    assert_eq!(scene.requests(), 2);
    for _ in 0..29 {
        scene.pass(1.0);
        assert_eq!(scene.provider.refresh().unwrap_err().kind(), ErrorKind::RateLimited);
    }
    is_what_is_left(scene.provider.refresh().unwrap_err().retry_after(), 200.0, 29.0);
    assert_eq!(scene.requests(), 2);
    scene.pass(1.0);
    scene.provider.refresh().unwrap();
    assert_eq!(scene.requests(), 3);
}

/// A provider half a second before the last part of its token, and the token.
fn just_before_the_last_part(lifetime: u64) -> (Scene, String) {
    let scene = Scene::new();
    scene.sandbox.set_lifetime(Duration::from_secs(lifetime));
    let first = scene.value();
    let margin = lifetime as f64 / 20.0;
    scene.pass(lifetime as f64 - margin - 0.5);
    (scene, first)
}

/// The token that it brings would be lost.
#[test]
fn a_renewal_may_take_longer_than_until_the_last_part() {
    let (scene, first) = just_before_the_last_part(200);
    scene.sandbox.set_delay(Duration::from_millis(2500));
    assert_eq!(scene.value(), first);
    scene.settle();
    assert_eq!(scene.provider.stats().proactive.succeeded, 1);
    assert_ne!(scene.value(), first);
}

/// A server that is silent, or asks to wait, does not stand in the way of the request in the last part.
#[test]
fn a_renewal_is_not_tried_again_in_the_last_part() {
    let silent = |scene: &Scene| scene.sandbox.set_delay(Duration::from_secs(3600));
    let asking = |scene: &Scene| scene.fail_next(503, &[("Retry-After", "5")]);
    let left = "gave no answer within 2 s, the time left to renew the token in use";
    for (lifetime, trouble, message) in
        [(20, &silent as &dyn Fn(&Scene), left), (200, &asking, "HTTP 503")]
    {
        let (scene, _) = just_before_the_last_part(lifetime);
        trouble(&scene);
        scene.value();
        scene.settle();
        assert_eq!((scene.requests(), scene.provider.stats().proactive.failed), (2, 1));
        let events = scene.events.take();
        assert!(events.iter().any(|event| event.message.contains(message)), "{events:?}");
        scene.provider.close();
    }
}

#[test]
fn an_endless_wait_ends_after_five_minutes() {
    let scene = Scene::new();
    scene.fail_next(503, &[("Retry-After", "99999999999999999999999")]);
    is_what_is_left(scene.error().retry_after(), 300.0, 0.0);
    scene.pass(334.0);
    scene.value();
}

#[test]
fn a_live_token_is_not_lost_to_a_wait_that_the_server_asked_for() {
    let scene = Scene::new();
    let first = scene.value();
    scene.pass(DAY - 100.0);
    scene.fail_next(503, &[("Retry-After", "300")]);
    scene.value();
    scene.settle();
    assert_eq!(scene.requests(), 2);
    scene.pass(60.0);
    assert_eq!(scene.value(), first);
    assert_eq!(scene.requests(), 2);
    // Its last part begins, and one request is made.
    scene.fail_next(503, &[("Retry-After", "300")]);
    scene.pass(15.0);
    assert_eq!(scene.value(), first);
    assert_eq!(scene.requests(), 3);
    scene.pass(5.0);
    assert_eq!(scene.value(), first);
    assert_eq!(scene.requests(), 3, "one");
    scene.pass(20.0);
    assert_eq!(scene.error().kind(), ErrorKind::Server);
}

#[test]
fn a_changed_secret_is_tried_during_a_pause() {
    let scene = Scene::with_secret(|sandbox, secret| {
        let secret = secret.clone();
        let read = move || Ok::<_, Error>(secret.lock().unwrap().clone());
        Credentials::from_fn(sandbox.client_id(), read).unwrap()
    });
    let next = scene.sandbox.rotate_secret();
    assert_eq!(scene.error().kind(), ErrorKind::Credentials);
    scene.pass(301.0);
    // Twice refused: the pause is 30 s at least.
    assert_eq!(scene.error().kind(), ErrorKind::Credentials);
    scene.fail_next(503, &[("Retry-After", "300")]);
    scene.provider.refresh().unwrap_err();
    let stats = scene.provider.stats();
    assert_eq!(scene.requests(), 3);

    scene.pass(29.0);
    scene.error();
    scene.pass(2.0);
    assert_eq!(scene.error().retry_after(), scene.provider.stats().backoff);
    assert_eq!(scene.provider.stats().empty, stats.empty, "no request, no failure");
    *scene.secret.lock().unwrap() = next;
    assert_eq!(scene.error().kind(), ErrorKind::Server, "not asked all the time");
    scene.pass(30.0);
    scene.value();
    assert_eq!(scene.requests(), 4);
}

type Caller = JoinHandle<Result<Arc<AccessToken>, Error>>;

/// A provider that the server has asked to wait, while a caller's look for another secret, the second
/// call of the secret's function, waits until the sender is dropped.
fn looking_for_a_secret() -> (Scene, Caller, Sender<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (come, came) = mpsc::channel();
    let released = Mutex::new(released);
    let scene = Scene::with_secret(|sandbox, secret| {
        let (secret, calls) = (secret.clone(), AtomicU32::new(0));
        let read = move || {
            if calls.fetch_add(1, Ordering::SeqCst) > 0 {
                come.send(()).unwrap();
                let _ = released.lock().unwrap().recv();
            }
            Ok::<_, Error>(secret.lock().unwrap().clone())
        };
        Credentials::from_fn(sandbox.client_id(), read).unwrap()
    });
    scene.fail_next(429, &[("Retry-After", "200")]);
    scene.error();
    scene.pass(31.0);
    let provider = scene.provider.clone();
    let waiting = thread::spawn(move || provider.token());
    came.recv().unwrap();
    (scene, waiting, release)
}

#[test]
fn who_waits_for_a_look_for_a_secret_gets_a_token_that_came_meanwhile() {
    let blob = |scene: &Scene| Scene::with(&scene.sandbox).provider.seal().unwrap();
    let bring: [&dyn Fn(&Scene); 2] =
        [&|scene| scene.provider.unseal(&blob(scene)).unwrap(), &|scene| {
            drop(scene.provider.put("not-a-real-token").unwrap())
        }];
    for bring in bring {
        let (scene, waiting, release) = looking_for_a_secret();
        bring(&scene);
        drop(release);
        let token = waiting.join().unwrap().unwrap();
        assert_eq!(token.value(), scene.provider.peek().unwrap().value());
    }
    // One that is out of use again is none, and nothing is broken.
    let (scene, waiting, release) = looking_for_a_secret();
    scene.provider.unseal(&blob(&scene)).unwrap();
    scene.provider.invalidate(&scene.provider.peek().unwrap());
    drop(release);
    let error = waiting.join().unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    scene.value();
}

#[test]
fn refresh_does_not_wait_for_a_look_for_a_secret() {
    let (scene, waiting, release) = looking_for_a_secret();
    scene.provider.refresh().unwrap();
    assert_eq!(scene.requests(), 2);
    // Who waited for the look has the error of before, and its end changes nothing.
    assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::RateLimited);
    drop(release);
    while Arc::strong_count(&scene.provider.0) > 1 {
        thread::yield_now();
    }
    scene.value();
    assert_eq!(scene.requests(), 2);
}

#[test]
fn a_secret_that_is_in_use_already_ends_no_wait() {
    let scene = Scene::with_secret(|sandbox, secret| {
        *secret.lock().unwrap() = "not-a-real-secret-of-yesterday".to_owned();
        let secret = secret.clone();
        let read = move || Ok::<_, Error>(secret.lock().unwrap().clone());
        let credentials = Credentials::from_fn(sandbox.client_id(), read).unwrap();
        credentials.fallback(sandbox.client_secret()).unwrap()
    });
    scene.value();
    // At last the source gives what was its fallback.
    for secret in ["not-a-real-secret-of-yesterday".to_owned(), scene.sandbox.client_secret()] {
        *scene.secret.lock().unwrap() = secret;
        scene.pass(DAY);
        scene.fail_next(429, &[("Retry-After", "300")]);
        scene.error();
        let requests = scene.requests();
        for _ in 0..9 {
            scene.pass(31.0);
            assert_eq!(scene.error().kind(), ErrorKind::RateLimited);
        }
        assert_eq!(scene.requests(), requests);
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
    let scene = Scene::with_options(&Arc::new(Sandbox::start().unwrap()), credentials, options);
    scene.fail_next(429, &[("Retry-After", "200")]);
    scene.error();
    scene.pass(31.0);
    assert_eq!(scene.error().kind(), ErrorKind::RateLimited);

    *scene.secret.lock().unwrap() = scene.sandbox.rotate_secret();
    scene.provider.refresh().unwrap();
    drop(release);
    while Arc::strong_count(&scene.provider.0) > 1 {
        thread::yield_now();
    }
    let before = scene.requests();
    scene.provider.refresh().unwrap();
    assert_eq!(scene.requests(), before + 1, "the secret in use is the one that worked");
}

#[test]
fn a_failed_renewal_is_put_off_while_the_token_lives() {
    let scene = Scene::new();
    let first = scene.value();
    scene.pass(DAY - 1700.0);
    scene.fail_next(400, &[]);
    scene.value();
    scene.settle();
    for _ in 0..14 {
        scene.pass(1.0);
        assert_eq!(scene.value(), first);
    }
    assert_eq!(scene.requests(), 2);
    scene.pass(17.0);
    scene.value();
    scene.settle();
    assert_eq!(scene.requests(), 3);
    assert_ne!(scene.value(), first);
}

#[test]
fn forced_exchanges_are_thirty_seconds_apart() {
    let scene = Scene::new();
    for passed in 0..100 {
        // A server that answers 401 to everything.
        let token = scene.provider.token().unwrap();
        scene.provider.invalidate(&token);
        let forced = scene.provider.stats().invalidated.succeeded;
        assert!(forced <= passed / 30 + 1, "{forced} after {passed} s");
        scene.pass(1.0);
    }
    assert_eq!(scene.provider.stats().invalidations, 4);
    assert_eq!(scene.provider.stats().invalidated.succeeded, 4);
}

#[test]
fn a_token_invalidated_during_the_wait_is_not_fallen_back_on() {
    let scene = Scene::new();
    let first = scene.provider.token().unwrap();
    scene.pass(DAY - 20.0);
    scene.sandbox.set_delay(Duration::from_secs(3600));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| scene.provider.token_timeout(Duration::from_millis(1500)));
        while scene.provider.stats().waited < 2 {
            std::thread::yield_now();
        }
        scene.provider.invalidate(&first);
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    });
    scene.provider.close();
}

#[test]
fn a_sealed_token_goes_to_another_provider() {
    let scene = Scene::new();
    let blob = scene.provider.seal().unwrap();
    let other = Scene::with(&scene.sandbox);
    other.provider.unseal(&blob).unwrap();
    assert_eq!(other.value(), scene.value());
    assert_eq!(scene.requests(), 1);

    // One that lives longer stays.
    other.pass(10.0);
    let newer = other.provider.refresh().unwrap();
    other.provider.unseal(&blob).unwrap();
    assert_eq!(other.value(), newer.value());

    let refused = |scene: &Scene, blob: &[u8]| {
        assert_eq!(scene.provider.unseal(blob).unwrap_err().kind(), ErrorKind::InvalidArgument);
    };
    refused(&other, b"");
    refused(&other, &blob[1..]);
    refused(&Scene::new(), &blob);
    let third = Scene::with(&scene.sandbox);
    third.provider.unseal(&blob).unwrap();
    third.provider.invalidate(&scene.provider.token().unwrap());
    refused(&third, &blob);
    third.pass(DAY);
    refused(&third, &blob);
    scene.provider.close();
    assert_eq!(scene.provider.seal().unwrap_err().kind(), ErrorKind::Closed);
}
