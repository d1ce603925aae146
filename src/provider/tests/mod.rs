//! Tests the provider under clocks that a test sets; the sandbox at the other end is real.

mod events;
mod fleet;
mod retries;
mod secrets;
mod sharing;
mod waits;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::{Event, Listener, TokenProvider};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::queue::Queue;
use crate::request::Options;
use crate::sandbox::{Answer, Sandbox};
use crate::sys::clock::{Clock, Moment};

const AUTHENTICATE: &str = "/authenticate/";
const DAY: f64 = 86_400.0;

struct Fixture {
    sandbox: Arc<Sandbox>,
    provider: TokenProvider,
    clock: Arc<Mutex<Moment>>,
    /// What a function gives as the secret.
    secret: Arc<Mutex<String>>,
    events: Queue<Event>,
}

impl Fixture {
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
        self.sandbox.answer_next(AUTHENTICATE, answer).unwrap();
    }

    /// Waits for the token request under way, if there is one.
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
    let fixture = Fixture::new();
    let first = fixture.value();
    fixture.pass(DAY - 3601.0);
    assert_eq!(fixture.value(), first);
    assert_eq!(fixture.requests(), 1, "it is fresh");
    fixture.pass(3601.0 - 1000.0);
    assert_eq!(fixture.value(), first);
    fixture.settle();
    assert_eq!(fixture.requests(), 2);
    assert_ne!(fixture.value(), first);
    let stats = fixture.provider.stats();
    assert_eq!((stats.empty.succeeded, stats.proactive.succeeded), (1, 1));
    assert_eq!((stats.waited, stats.served_stale), (1, 1));
}

#[test]
fn in_its_last_part_a_caller_waits_for_the_next_token() {
    let fixture = Fixture::new();
    let first = fixture.value();
    fixture.pass(DAY - 20.0);
    assert_ne!(fixture.value(), first);
    assert_eq!(fixture.requests(), 2);
}

#[test]
fn in_its_last_part_a_caller_waits_a_second_at_most() {
    let fixture = Fixture::new();
    let first = fixture.value();
    fixture.pass(DAY - 20.0);
    fixture.sandbox.set_delay(Duration::from_secs(3600));
    assert_eq!(fixture.value(), first);
    assert_eq!(fixture.provider.stats().served_stale, 1);
    fixture.provider.close();
}

#[test]
fn in_its_last_part_a_failure_leaves_the_token_in_use() {
    let fixture = Fixture::new();
    let first = fixture.value();
    fixture.pass(DAY - 20.0);
    fixture.fail_next(400, &[]);
    assert_eq!(fixture.value(), first);
    assert_eq!(fixture.value(), first);
    assert_eq!(fixture.requests(), 2);
}

#[test]
fn past_its_end_a_token_is_never_served() {
    let fixture = Fixture::new();
    let first = fixture.value();
    fixture.pass(DAY);
    assert!(fixture.provider.peek().is_none());
    fixture.fail_next(400, &[]);
    assert_eq!(fixture.error().kind(), ErrorKind::Rejected);
    fixture.pass(301.0);
    assert_ne!(fixture.value(), first);
}

#[test]
fn a_stepped_clock_costs_one_request_at_the_most() {
    for (step, requests) in [(7200.0, 2), (-7200.0, 1)] {
        let fixture = Fixture::new();
        fixture.sandbox.set_lifetime(Duration::from_secs(3600));
        fixture.value();
        fixture.step(1.0, step);
        for _ in 0..100 {
            fixture.pass(1.0);
            let token = fixture.provider.token().unwrap();
            assert!(token.age(*fixture.clock.lock().unwrap()) < token.lifetime());
        }
        fixture.step(1.0, -step);
        for _ in 0..100 {
            fixture.pass(1.0);
            fixture.value();
        }
        assert_eq!(fixture.requests(), requests, "a step of {step} s and back");
    }
}

#[test]
fn a_suspended_machine_wakes_without_its_token() {
    let fixture = Fixture::new();
    let first = fixture.value();
    // The monotonic clock stands still meanwhile.
    fixture.step(0.1, DAY + 1.0);
    assert!(fixture.provider.peek().is_none());
    assert_ne!(fixture.value(), first);
    assert_eq!(fixture.requests(), 2);
}

#[test]
fn without_a_token_callers_fail_at_once_until_the_pause_is_over() {
    let fixture = Fixture::new();
    fixture.fail_next(400, &[]);
    let first = fixture.error();
    let error = fixture.error();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Rejected, Some(400)));
    assert_eq!(first.retry_after(), error.retry_after(), "whoever gets it");
    let pause = error.retry_after().unwrap().as_secs_f64();
    assert!((15.0..=30.0).contains(&pause), "{pause}");
    assert_eq!(fixture.provider.stats().backoff, error.retry_after());
    assert_eq!(fixture.requests(), 1);
    fixture.pass(pause + 0.001);
    fixture.value();
    assert_eq!(fixture.provider.stats().backoff, None);
}

#[test]
fn a_program_with_a_timer_of_its_own_asks_when_a_request_is_due() {
    let fixture = Fixture::new();
    let refresh_in = || fixture.provider.stats().refresh_in.as_secs_f64();
    assert_eq!(refresh_in(), 0.0);
    fixture.fail_next(400, &[]);
    fixture.error();
    let backoff = fixture.provider.stats().backoff.unwrap().as_secs_f64();
    assert_eq!(refresh_in(), backoff);
    fixture.pass(backoff);
    assert_eq!(refresh_in(), 0.0);
    fixture.value();
    let due = refresh_in();
    assert!((DAY - 3600.0..=DAY - 1800.0).contains(&due), "{due}");
    // A failure of a token request that was asked for puts nothing off.
    fixture.fail_next(400, &[]);
    fixture.provider.refresh().unwrap_err();
    assert_eq!(refresh_in(), due);

    fixture.pass(due - 0.001);
    fixture.value();
    fixture.settle();
    assert_eq!(fixture.requests(), 3);
    fixture.pass(0.001);
    assert_eq!(refresh_in(), 0.0);
    fixture.value();
    fixture.settle();
    assert_eq!(fixture.requests(), 4);
    assert!(refresh_in() >= DAY - 3600.0);
    fixture.provider.close();
    assert_eq!(refresh_in(), 0.0);
}

#[test]
fn a_request_that_is_under_way_is_due_now() {
    let fixture = Fixture::new();
    fixture.value();
    fixture.sandbox.set_delay(Duration::from_secs(3600));
    fixture.provider.refresh_timeout(Duration::ZERO).unwrap_err();
    assert!(fixture.provider.stats().refresh_in.is_zero());
    fixture.provider.close();
}

#[test]
fn refresh_skips_our_own_pause() {
    let fixture = Fixture::new();
    fixture.fail_next(400, &[]);
    fixture.error();
    fixture.provider.refresh().unwrap();
    assert_eq!(fixture.requests(), 2);
}

/// A provider half a second before the last part of its token, and the token.
fn just_before_the_last_part(lifetime: u64) -> (Fixture, String) {
    let fixture = Fixture::new();
    fixture.sandbox.set_lifetime(Duration::from_secs(lifetime));
    let first = fixture.value();
    let margin = lifetime as f64 / 20.0;
    fixture.pass(lifetime as f64 - margin - 0.5);
    (fixture, first)
}

/// The token that it brings would be lost.
#[test]
fn a_renewal_may_take_longer_than_until_the_last_part() {
    let (fixture, first) = just_before_the_last_part(200);
    fixture.sandbox.set_delay(Duration::from_millis(2500));
    assert_eq!(fixture.value(), first);
    fixture.settle();
    assert_eq!(fixture.provider.stats().proactive.succeeded, 1);
    assert_ne!(fixture.value(), first);
}

/// A server that is silent, or asks to wait, does not stand in the way of the request in the last part.
#[test]
fn a_renewal_is_not_tried_again_in_the_last_part() {
    let silent = |fixture: &Fixture| fixture.sandbox.set_delay(Duration::from_secs(3600));
    let asking = |fixture: &Fixture| fixture.fail_next(503, &[("Retry-After", "5")]);
    let left = "gave no answer within 2 s, the time left to renew the token in use";
    for (lifetime, trouble, message) in
        [(20, &silent as &dyn Fn(&Fixture), left), (200, &asking, "HTTP 503")]
    {
        let (fixture, _) = just_before_the_last_part(lifetime);
        trouble(&fixture);
        fixture.value();
        fixture.settle();
        assert_eq!((fixture.requests(), fixture.provider.stats().proactive.failed), (2, 1));
        let events = fixture.events.take();
        assert!(events.iter().any(|event| event.message.contains(message)), "{events:?}");
        fixture.provider.close();
    }
}

#[test]
fn a_failed_renewal_is_put_off_while_the_token_lives() {
    let fixture = Fixture::new();
    let first = fixture.value();
    fixture.pass(DAY - 1700.0);
    fixture.fail_next(400, &[]);
    fixture.value();
    fixture.settle();
    for _ in 0..14 {
        fixture.pass(1.0);
        assert_eq!(fixture.value(), first);
    }
    assert_eq!(fixture.requests(), 2);
    fixture.pass(17.0);
    fixture.value();
    fixture.settle();
    assert_eq!(fixture.requests(), 3);
    assert_ne!(fixture.value(), first);
}

#[test]
fn forced_requests_are_thirty_seconds_apart() {
    let fixture = Fixture::new();
    for passed in 0..100 {
        // A server that answers 401 to everything.
        let token = fixture.provider.token().unwrap();
        fixture.provider.invalidate(&token);
        let forced = fixture.provider.stats().invalidated.succeeded;
        assert!(forced <= passed / 30 + 1, "{forced} after {passed} s");
        fixture.pass(1.0);
    }
    assert_eq!(fixture.provider.stats().invalidations, 4);
    assert_eq!(fixture.provider.stats().invalidated.succeeded, 4);
}

#[test]
fn a_token_invalidated_during_the_wait_is_not_fallen_back_on() {
    let fixture = Fixture::new();
    let first = fixture.provider.token().unwrap();
    fixture.pass(DAY - 20.0);
    fixture.sandbox.set_delay(Duration::from_secs(3600));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| fixture.provider.token_timeout(Duration::from_millis(1500)));
        while fixture.provider.stats().waited < 2 {
            std::thread::yield_now();
        }
        fixture.provider.invalidate(&first);
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    });
    fixture.provider.close();
}

#[test]
fn a_sealed_token_goes_to_another_provider() {
    let fixture = Fixture::new();
    let blob = fixture.provider.seal().unwrap();
    let other = Fixture::with(&fixture.sandbox);
    other.provider.unseal(&blob).unwrap();
    assert_eq!(other.value(), fixture.value());
    assert_eq!(fixture.requests(), 1);

    // One that is valid for longer stays.
    other.pass(10.0);
    let newer = other.provider.refresh().unwrap();
    other.provider.unseal(&blob).unwrap();
    assert_eq!(other.value(), newer.value());

    let refused = |fixture: &Fixture, blob: &[u8]| {
        assert_eq!(fixture.provider.unseal(blob).unwrap_err().kind(), ErrorKind::InvalidArgument);
    };
    refused(&other, b"");
    refused(&other, &blob[1..]);
    refused(&Fixture::new(), &blob);
    let third = Fixture::with(&fixture.sandbox);
    third.provider.unseal(&blob).unwrap();
    third.provider.invalidate(&fixture.provider.token().unwrap());
    refused(&third, &blob);
    third.pass(DAY);
    refused(&third, &blob);
    fixture.provider.close();
    assert_eq!(fixture.provider.seal().unwrap_err().kind(), ErrorKind::Closed);
}

/// And not at the end of the time that it may take.
#[test]
fn who_is_called_back_learns_of_the_outcome_when_it_comes() {
    let fixture = Fixture::new();
    for fails in [true, false] {
        if fails {
            fixture.fail_next(400, &[]);
        } else {
            fixture.pass(301.0);
        }
        let (tell, told) = mpsc::channel();
        let call = move |outcome| tell.send(outcome).unwrap();
        assert!(fixture.provider.token_or_call(call).unwrap().is_none());
        let outcome = told.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(outcome.is_err(), fails);
    }
}

/// In the last part of a token nobody waits for a silent server longer than for half of what is left.
#[test]
fn who_is_called_back_gets_the_valid_token_when_the_next_is_late() {
    let fixture = Fixture::new();
    let first = fixture.value();
    fixture.pass(DAY - 10.0);
    fixture.sandbox.set_delay(Duration::from_secs(3600));
    let (tell, told) = mpsc::channel();
    let found = fixture.provider.token_or_call(move |outcome| tell.send(outcome).unwrap()).unwrap();
    assert!(found.is_none(), "it waits for the next");
    let work = fixture.provider.0.flight().lock().unwrap().in_flight().unwrap();
    assert!(!work.has_ended(), "the thread that waits for all may sleep");
    let token = told.recv_timeout(Duration::from_secs(10)).unwrap().unwrap();
    assert_eq!(token.value(), first);
    assert_eq!(fixture.requests(), 2);
    fixture.provider.close();
}
