//! A fleet whose client secret is replaced.

use test_support::redis::Redis;
use test_support::wait_until;

use super::process::{Api, Process, SECRET, ask_all};
use crate::programs::Sanitizer;

const PROCESSES: usize = 20;
const NEXT_SECRET: &str = "another-secret-that-is-not-real-0123456789";
/// Past the refresh point of a token of a day, and before its last part.
const STALE: i64 = 85_000;

/// Whether all have the token of this number, and none an error.
fn have(fleet: &mut [Process], number: usize, ahead: i64) -> bool {
    let token = |number| format!("not-a-real-token-{number}");
    let (_, got) = ask_all(fleet, ahead);
    let wrong = got.iter().find(|got| ![number - 1, number].map(token).contains(got));
    assert_eq!(wrong, None);
    got.iter().all(|got| *got == token(number))
}

/// All have the next secret as their fallback when the API refuses the one that they use. Only one of them learns it
/// from the API.
#[test]
fn a_secret_is_refused_once_to_the_whole_fleet() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // Twenty slow processes would only show how slow they are.
    }
    let (api, redis) = (Api::start(), Redis::start(&[]));
    let start =
        |_| Process::start_with(&api.url(), &redis.url(), &[("TEST_FALLBACK", NEXT_SECRET)]);
    let mut fleet: Vec<_> = (0..PROCESSES).map(start).collect();
    assert!(have(&mut fleet, 1, 0));
    let first = redis.keys().join(" ");
    api.refuse(SECRET);
    for renewal in 1..=3 {
        let ahead = renewal * STALE;
        wait_until(|| have(&mut fleet, renewal as usize + 1, ahead));
        assert_eq!(api.requests_with(SECRET), 2, "the first one, and the one that was refused");
        assert_eq!(api.requests_with(NEXT_SECRET), renewal as usize);
        // It has expired by then, and Redis's clock does not know.
        redis.ask(&format!("DEL {first}"));
    }
}
