//! A fleet whose client secret is replaced.

use std::time::Duration;

use test_support::redis::Redis;
use test_support::wait_until;

use super::process::{Api, Process, SECRET, ask_all};
use super::{STALE, is_slow, with_each_store};
use crate::programs::folder;

const PROCESSES: usize = 20;
const NEXT_SECRET: &str = "another-secret-that-is-not-real-0123456789";
/// For which a token is kept in Redis.
const ALMOST_A_DAY: Duration = Duration::from_secs(23 * 3600);

/// Whether all have the token of this number, and none an error.
fn have(fleet: &mut [Process], number: usize, ahead: i64) -> bool {
    let token = |number| format!("not-a-real-token-{number}");
    let (_, got) = ask_all(fleet, ahead);
    let wrong = got.iter().find(|got| ![number - 1, number].map(token).contains(got));
    assert_eq!(wrong, None);
    got.iter().all(|got| *got == token(number))
}

/// All have the next secret as their fallback when the API refuses the one that they use. Only one of them learns it
/// from the API, and so it is with those that come when the token is about to run out, and renew it.
#[test]
fn a_secret_is_refused_once_to_the_whole_fleet() {
    if is_slow() {
        return;
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
        let number = renewal as usize + 1;
        // The last one to come is the first to ask.
        wait_until(|| have(&mut fleet[PROCESSES - 1..], number, ahead));
        wait_until(|| have(&mut fleet, number, ahead));
        assert_eq!(api.requests_with(SECRET), 2, "the first one, and the one that was refused");
        assert_eq!(api.requests_with(NEXT_SECRET), renewal as usize);
        // It has expired by then, and Redis's clock does not know.
        redis.ask(&format!("DEL {first}"));
        redis.pass(ALMOST_A_DAY);
        fleet.remove(0);
        fleet.push(start(0));
        assert!(have(&mut fleet[PROCESSES - 1..], number, ahead));
    }
}

/// The file with the secret is replaced, and then the API refuses the old one. Whoever learns of that from the store
/// reads the file again, and has the token of the one that the API told.
#[test]
fn a_secret_in_a_file_is_refused_once_to_the_whole_fleet() {
    if is_slow() {
        return;
    }
    with_each_store("rotation", |store| {
        let api = Api::start();
        let file = folder().join(format!("secret-{}", std::process::id()));
        std::fs::write(&file, SECRET).unwrap();
        let variables = [("CLAZAR_CLIENT_SECRET_FILE", file.to_str().unwrap())];
        let start = |_| Process::start_with(&api.url(), store, &variables);
        let mut fleet: Vec<_> = (0..PROCESSES).map(start).collect();
        assert!(have(&mut fleet, 1, 0));
        std::fs::write(&file, NEXT_SECRET).unwrap();
        api.refuse(SECRET);
        wait_until(|| have(&mut fleet, 2, STALE));
        std::fs::remove_file(&file).unwrap();
        let requests = [SECRET, NEXT_SECRET].map(|secret| api.requests_with(secret));
        assert_eq!(requests, [2, 1], "{store}");
    });
}
