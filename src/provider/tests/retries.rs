//! Tests what counts from one token request to the next.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};
use crate::interface::Cause;
use crate::provider::policy::{Schedule, TokenAge};
use crate::provider::retry_state::RetryState;
use crate::request::RequestedWait;
use crate::sys::clock::Moment;
use crate::token::AccessToken;

fn at(seconds: f64) -> Moment {
    Moment::at(1000.0 + seconds, 1e9 + seconds)
}

fn token() -> AccessToken {
    AccessToken::given("not-a-real-token", at(0.0)).unwrap()
}

fn refused() -> Error {
    Error::new(ErrorKind::Credentials, "refused the client id or secret")
}

fn outage() -> Error {
    Error::new(ErrorKind::Server, "failed; try again later")
}

fn asked_to_wait() -> Error {
    outage().with_requested_wait(Some(Duration::from_secs(100)))
}

fn after(error: &Error) -> RetryState {
    let mut state = RetryState::default();
    state.failed(Cause::Empty, error, None, true, at(0.0));
    state
}

/// Of its parent's failures those count that the server wants to count, and of its parent's threads none.
#[test]
fn a_forked_child_knows_what_was_refused_and_for_how_long_the_server_asked_to_wait() {
    let mut parent = after(&asked_to_wait());
    parent.refuse(&token());
    parent.hangs_in_store = Some(Instant::now());
    let child = parent.in_child(at(0.0));
    assert!(child.refused.contains(&token()) && child.invalidated);
    assert!(child.failure(at(99.0)).is_some_and(|last| !last.requested_wait.is_zero()));
    assert!(child.hangs_in_store.is_none());
    assert!(after(&outage()).in_child(at(0.0)).failure(at(0.0)).is_none());
    assert!(parent.in_child(at(114.0)).failure(at(114.0)).is_none(), "it is over");
}

#[test]
fn a_forked_child_has_no_back_off_of_its_parents_besides_what_the_server_asked_for() {
    let mut parent = after(&asked_to_wait());
    for _ in 0..9 {
        parent.failed(Cause::Refresh, &refused(), None, true, at(90.0));
    }
    let of_another = outage().with_backoff(Some(Duration::from_secs(200)));
    parent.found(Cause::Empty, &of_another, 1, None, at(90.0));
    let pause = |state: &RetryState| state.failure(at(95.0)).unwrap().pause(None);
    let child = parent.in_child(at(95.0));
    assert_eq!((parent.waited_out, child.waited_out), (Some(1), None), "it looks for itself");
    let in_child = pause(&child);
    assert!((Duration::from_secs(5)..Duration::from_secs(19)).contains(&in_child), "{in_child:?}");
    assert!(pause(&parent) > Duration::from_secs(100));
}

/// Whoever had it requested: a server that refuses its own new tokens is spared.
#[test]
fn a_replacement_from_the_store_is_not_replaced_in_its_first_thirty_seconds() {
    let replacement = |requested| {
        let mut state = RetryState::default();
        let age = Duration::from_secs(20);
        let token = AccessToken::aged("not-a-real-token", at(0.0), age, 1000 * age);
        state.succeeded(&token.replacing(), requested, at(0.0));
        state
    };
    for requested in [false, true] {
        assert!(!replacement(requested).may_force(at(9.9)));
        assert!(replacement(requested).may_force(at(10.0)));
    }
}

#[test]
fn what_is_found_after_a_refusal_is_no_replacement_unless_it_was_requested() {
    for requested in [false, true] {
        let mut state = RetryState::default();
        state.refuse(&token());
        state.succeeded(&token(), requested, at(0.0));
        assert_eq!(state.may_force(at(1.0)), !requested);
        // That one is in use, and was not refused.
        state.succeeded(&token(), true, at(30.0));
        assert!(state.may_force(at(31.0)));
    }
}

#[test]
fn failures_count_that_are_alike() {
    let schedule = Schedule::new(Duration::from_secs(1000), Duration::ZERO, 0.5);
    let token = Some(TokenAge { elapsed: Duration::ZERO, schedule });
    let mut state = RetryState::default();
    let mut count = |error: &Error, age| {
        state.failed(Cause::Empty, error, age, true, at(0.0));
        state.failure(at(0.0)).unwrap().count
    };
    assert_eq!([count(&outage(), None), count(&outage(), None)], [1, 2]);
    assert_eq!([count(&refused(), None), count(&refused(), None)], [1, 2]);
    assert_eq!([count(&refused(), token), count(&refused(), token)], [1, 2]);
    assert_eq!(count(&outage(), None), 1);
}

/// There was no thread for it, or no secret.
#[test]
fn a_request_that_was_not_sent_is_not_the_one_in_the_last_part() {
    let schedule = Schedule::new(Duration::from_secs(1000), Duration::ZERO, 0.5);
    let age = |seconds| Some(TokenAge { elapsed: Duration::from_secs(seconds), schedule });
    let mut state = RetryState::default();
    state.failed(Cause::Proactive, &asked_to_wait(), age(900), true, at(900.0));
    let mut pause = |sent, at_age: u64| {
        let now = at(at_age as f64);
        state.failed(Cause::Proactive, &outage(), age(at_age), sent, now);
        state.failure(now).unwrap().pause(age(at_age))
    };
    for (sent, at_age, longest) in [(false, 975, 1), (false, 980, 2), (true, 985, 33)] {
        let pause = pause(sent, at_age).as_secs_f64();
        assert!(pause <= f64::from(longest), "{at_age}: {pause}");
        assert_eq!(pause >= 10.0, sent, "{at_age}: {pause}");
    }
}

/// The last part had begun when it was found.
#[test]
fn a_wait_that_is_found_leaves_the_one_request_in_the_last_part() {
    let schedule = Schedule::new(Duration::from_secs(1000), Duration::ZERO, 0.5);
    let expiring = Some(TokenAge { elapsed: Duration::from_secs(975), schedule });
    let mut state = RetryState::default();
    let told = asked_to_wait().with_backoff(Some(Duration::from_secs(100)));
    state.found(Cause::Proactive, &told, 1, expiring, at(0.0));
    assert!(state.failure(at(0.0)).unwrap().pause(expiring).is_zero());
    state.failed(Cause::Proactive, &outage(), expiring, true, at(1.0));
    assert!(state.failure(at(1.0)).unwrap().pause(expiring) >= Duration::from_secs(99));
}

/// Neither the one request in the last part was made, nor was one asked for.
#[test]
fn a_wait_that_is_passed_over_without_a_request_leaves_both_exceptions() {
    let schedule = Schedule::new(Duration::from_secs(1000), Duration::ZERO, 0.5);
    let expiring = Some(TokenAge { elapsed: Duration::from_secs(975), schedule });
    let wait = RequestedWait { at: at(0.0), length: Duration::from_secs(200) };
    let mut state = RetryState::default();
    state.pass_over(wait, false, at(0.0));
    let of_another = outage().with_backoff(Some(Duration::from_secs(1)));
    state.found(Cause::Proactive, &of_another, 1, expiring, at(0.0));
    assert!(state.failure(at(1.0)).unwrap().pause(expiring).is_zero());
    assert!(state.override_requested_wait(at(0.0)));
}

#[test]
fn the_longer_one_of_two_waits_counts() {
    let wait =
        |seconds: u32| RequestedWait { at: at(10.0), length: Duration::from_secs(seconds.into()) };
    for seconds in [20_u32, 200] {
        let mut state = after(&asked_to_wait());
        state.pass_over(wait(seconds), true, at(10.0));
        state.failed(Cause::Refresh, &refused(), None, true, at(10.0));
        let longest = f64::from(seconds.max(90));
        let pause = state.failure(at(10.0)).unwrap().pause(None).as_secs_f64();
        assert!((longest..longest * 1.1 + 4.0).contains(&pause), "{seconds}: {pause}");
    }
}

/// With an expired token, of which no part is left.
#[test]
fn a_request_that_was_not_sent_ends_no_wait_that_the_server_asked_for() {
    let schedule = Schedule::new(Duration::from_secs(1000), Duration::ZERO, 0.5);
    let expired = Some(TokenAge { elapsed: Duration::from_secs(2000), schedule });
    let mut state = RetryState::default();
    state.failed(Cause::Empty, &asked_to_wait(), expired, true, at(0.0));
    state.failed(Cause::Refresh, &outage(), expired, false, at(40.0));
    assert!(state.failure(at(40.0)).unwrap().pause(expired) >= Duration::from_secs(60));
}

#[test]
fn a_failure_from_the_store_tells_how_long_ago_it_was() {
    let mut state = RetryState::default();
    let told = outage().with_told(Duration::from_secs(10));
    state.found(Cause::Empty, &told, 1, None, at(0.0));
    let (_, error) = state.last_failure(at(5.0), None).unwrap();
    assert!(error.to_string().ends_with("(from the store, 15 s ago)"), "{error}");
}

#[test]
fn a_requested_wait_is_passed_once_in_thirty_seconds() {
    let mut state = after(&asked_to_wait());
    for (now, may) in [(0.0, true), (29.9, false), (30.0, true), (59.9, false), (60.0, true)] {
        assert_eq!(state.override_requested_wait(at(now)), may, "{now}");
    }
}

#[test]
fn the_store_is_looked_at_once_a_second_unless_it_fails_or_hangs() {
    let mut state = RetryState::default();
    for (now, may) in [(0.0, true), (0.9, false), (1.0, true), (1.9, false)] {
        assert_eq!(state.look_into_store(at(now)), may, "{now}");
    }
    state.store_failed = Some(at(2.0));
    for (now, may) in [(31.9, false), (32.0, true)] {
        assert_eq!(state.look_into_store(at(now)), may, "{now}");
    }
    state.hangs_in_store = Some(Instant::now());
    assert!(!state.look_into_store(at(100.0)));
}

#[test]
fn another_secret_is_looked_for_once_in_thirty_seconds_where_it_may_help() {
    for error in [refused(), asked_to_wait()] {
        let mut state = after(&error);
        for (now, may) in [(29.9, false), (30.0, true), (59.9, false), (60.0, true)] {
            assert_eq!(state.reread_secret(at(now)), may, "{now}");
        }
    }
    assert!(!after(&outage()).reread_secret(at(30.0)));
    assert!(!RetryState::default().reread_secret(at(30.0)));
}
