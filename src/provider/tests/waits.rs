//! Tests waits that the server asked for.

use super::*;

/// What is left of `wait` after `age`, with up to 10 % and 3 s on top.
fn is_what_is_left(left: Option<Duration>, wait: f64, age: f64) {
    let left = left.unwrap().as_secs_f64();
    assert!((wait - age..wait * 1.1 + 3.0 - age + 0.01).contains(&left), "{left}");
}

#[test]
fn refresh_passes_a_wait_that_the_server_asked_for_once_in_thirty_seconds() {
    let fixture = Fixture::new();
    let limit = || fixture.fail_next(429, &[("Retry-After", "200")]);
    limit();
    is_what_is_left(fixture.error().retry_after(), 200.0, 0.0);
    limit();
    is_what_is_left(fixture.provider.refresh().unwrap_err().retry_after(), 200.0, 0.0);
    assert_eq!(fixture.requests(), 2);
    for _ in 0..29 {
        fixture.pass(1.0);
        assert_eq!(fixture.provider.refresh().unwrap_err().kind(), ErrorKind::RateLimited);
    }
    is_what_is_left(fixture.provider.refresh().unwrap_err().retry_after(), 200.0, 29.0);
    assert_eq!(fixture.requests(), 2);
    fixture.pass(1.0);
    fixture.provider.refresh().unwrap();
    assert_eq!(fixture.requests(), 3);
}

#[test]
fn a_refresh_that_fails_otherwise_does_not_end_a_wait_that_the_server_asked_for() {
    let fixture = Fixture::new();
    fixture.fail_next(429, &[("Retry-After", "200")]);
    fixture.error();
    fixture.pass(40.0);
    fixture.fail_next(400, &[]);
    let error = fixture.provider.refresh().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    is_what_is_left(error.retry_after(), 200.0, 40.0);
    fixture.pass(100.0);
    is_what_is_left(fixture.error().retry_after(), 200.0, 140.0);
    assert_eq!(fixture.requests(), 2);
    // What the server says last counts.
    fixture.fail_next(429, &[("Retry-After", "30")]);
    is_what_is_left(fixture.provider.refresh().unwrap_err().retry_after(), 30.0, 0.0);
}

#[test]
fn an_endless_wait_ends_after_five_minutes() {
    let fixture = Fixture::new();
    fixture.fail_next(503, &[("Retry-After", "99999999999999999999999")]);
    is_what_is_left(fixture.error().retry_after(), 300.0, 0.0);
    fixture.pass(334.0);
    fixture.value();
}

#[test]
fn a_live_token_is_not_lost_to_a_wait_that_the_server_asked_for() {
    let fixture = Fixture::new();
    let first = fixture.value();
    fixture.pass(DAY - 100.0);
    fixture.fail_next(503, &[("Retry-After", "300")]);
    fixture.value();
    fixture.settle();
    assert_eq!(fixture.requests(), 2);
    fixture.pass(60.0);
    assert_eq!(fixture.value(), first);
    assert_eq!(fixture.requests(), 2);
    // Its last part begins, and one request is made.
    fixture.fail_next(503, &[("Retry-After", "300")]);
    fixture.pass(15.0);
    assert_eq!(fixture.value(), first);
    assert_eq!(fixture.requests(), 3);
    fixture.pass(5.0);
    assert_eq!(fixture.value(), first);
    assert_eq!(fixture.requests(), 3, "one");
    fixture.pass(20.0);
    assert_eq!(fixture.error().kind(), ErrorKind::Server);
}
