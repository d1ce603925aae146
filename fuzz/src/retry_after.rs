//! What an answer says of time: three lines, for Retry-After, Date and x-ratelimit-reset.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clazar_auth::Error;
use clazar_auth::fuzzing::request::{attempt, date};

use crate::common::{URL, check_error, credentials};

const LONGEST: Duration = Duration::from_secs(300);

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_field = |line: &&str| line.bytes().all(|b| matches!(b, b' '..=b'~'));
    let mut lines = text.splitn(3, '\n').map(|line| Some(line.trim()).filter(is_field));
    let [retry_after, server_date, reset] = [(); 3].map(|()| lines.next().flatten());
    for text in [retry_after, server_date].into_iter().flatten() {
        check_date(text);
    }
    let names = ["Retry-After", "Date", "X-RateLimit-Reset"].into_iter();
    let fields = names.zip([retry_after, server_date, reset]);
    let fields = fields.filter_map(|(name, value)| Some(format!("{name}: {}\r\n", value?)));
    let fields: String = fields.collect();
    let error = |status: u16| {
        let answer = format!("HTTP/1.1 {status} x\r\n{fields}\r\n");
        let (_, outcome) = attempt(URL, &credentials(), answer.as_bytes(), usize::MAX);
        outcome.expect_err("it has no token")
    };
    let now = server_date.and_then(date);
    let named = retry_after.and_then(|text| meant(text, date, now));
    let reset = reset
        .and_then(|text| meant(text, |_| None, now).map(|at| at.saturating_sub(since_1970(now))));
    check(&error(503), named, now);
    check(&error(429), named.or(reset), now);
    check(&error(500), None, now);
}

/// The wait that a field means: a number, or a date less the server's own.
fn meant(
    text: &str,
    date: impl FnOnce(&str) -> Option<SystemTime>,
    now: Option<SystemTime>,
) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let now = now.unwrap_or_else(SystemTime::now);
    date(text).map(|at| at.duration_since(now).unwrap_or_default())
}

fn since_1970(now: Option<SystemTime>) -> Duration {
    now.unwrap_or_else(SystemTime::now).duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn check(error: &Error, expected: Option<Duration>, now: Option<SystemTime>) {
    check_error(error);
    let (wait, expected) = (error.retry_after(), expected.map(|wait| wait.min(LONGEST)));
    // Without a Date, this machine's clock counts, which goes on.
    let is_near = |(a, b): (Duration, Duration)| a.abs_diff(b) < Duration::from_secs(10);
    let is_right =
        if now.is_some() { wait == expected } else { wait.is_some() == expected.is_some() };
    assert!(is_right && wait.zip(expected).is_none_or(is_near), "{wait:?} and not {expected:?}");
}

/// What is read is written in the one form that RFC 9110 section 5.6.7 prefers, and read again.
fn check_date(text: &str) {
    let Some(time) = date(text) else { return };
    let seconds = time.duration_since(UNIX_EPOCH).expect("it is not before 1970");
    assert_eq!(seconds.subsec_nanos(), 0);
    assert!(seconds < Duration::from_secs(253_402_300_800), "the year 10000");
}
