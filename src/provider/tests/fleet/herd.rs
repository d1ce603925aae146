//! Has all hosts of a fleet want a token in the same second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::figures::{Figures, HEAD, Row};
use super::programs::{Fleet, Usage};
use super::{REDIS, REDIS_OVER_TLS, hosts, hours, minutes, seed};
use crate::store::tests::simulation::{Change, Simulation, Speed, State, fleet};

/// All have the token of one request, which expires after a day.
const EXPIRES: Duration = hours(24);
/// By then all their refresh points have passed.
const ALL_STALE: Duration = EXPIRES.saturating_sub(minutes(25));
/// The first of their refresh points; the others follow within half an hour and the time in which they started.
const FIRST_REFRESH: Duration = hours(23);
const UNTIL: Duration = EXPIRES.saturating_sub(minutes(5));

/// Runs a herd that starts within some time, with `plan` made before.
fn herd(
    redis: Speed,
    between_calls: Option<Duration>,
    start_within: Duration,
    plan: impl FnOnce(&Arc<Fleet>, &mut State, usize),
) -> Figures {
    let hosts = hosts(5_000, 100);
    let world = fleet(hosts, redis).with_slow_api();
    let simulation = Arc::new(Simulation::new(world, seed(), false));
    let usage = Usage { between_calls, until: UNTIL, step: Duration::ZERO };
    let fleet = Fleet::new(simulation.clone(), hosts, usage);
    let mut state = simulation.state();
    for host in 0..hosts {
        let at = state.up_to(start_within);
        fleet.start_at(&mut state, host, at);
    }
    plan(&fleet, &mut state, hosts);
    drop(state);
    simulation.run_fleet();
    Figures::of(&fleet)
}

/// All ask in one second, with a stale token, such as a job that runs on all hosts at the same time.
fn all_call(fleet: &Arc<Fleet>, state: &mut State, hosts: usize) {
    for host in 0..hosts {
        let at = ALL_STALE + state.up_to(Duration::from_secs(1));
        fleet.call_at(state, host, at);
    }
}

fn redis_goes_away(state: &mut State) {
    state.plan_change(FIRST_REFRESH - minutes(5), Change::Store { is_away: true });
}

/// Prints and checks what happened from some time on.
fn tell(name: &str, figures: &Figures, from: Duration, since: Instant) -> Row {
    let row = figures.within(&(from..EXPIRES));
    let (hosts, threads, took) = (figures.hosts, figures.threads, since.elapsed());
    println!("{hosts} hosts, seed {}: {took:.1?}, {threads} threads", seed());
    println!("{HEAD}\n{}", row.line(name));
    println!("in that second {:.1} scripts a host", f64::from(row.most_commands) / hosts as f64);
    figures.check();
    row
}

/// Two scripts for each pause, which is 37 ms at first on average, and for the way to Redis and back.
const MOST_COMMANDS: u32 = 40;

#[test]
fn of_a_herd_that_renews_one_sends_a_request() {
    let since = Instant::now();
    let figures = herd(REDIS, None, minutes(5), all_call);
    let row = tell("all renew in one second", &figures, ALL_STALE, since);
    assert_eq!((row.requests, row.failed), (1, 0));
    assert!(row.most_commands <= MOST_COMMANDS * figures.hosts as u32);
    assert_eq!(row.longest_wait, Duration::ZERO, "a stale token is handed out");
}

#[test]
fn of_a_herd_that_starts_one_sends_a_request() {
    let since = Instant::now();
    let figures = herd(REDIS, None, Duration::from_secs(1), |_, _, _| ());
    let row = tell("all start in one second", &figures, Duration::ZERO, since);
    assert_eq!((row.requests, row.failed), (1, 0));
    assert!(row.most_commands <= MOST_COMMANDS * figures.hosts as u32);
}

/// Those who do not get their connection within a second carry on alone.
#[test]
fn of_a_herd_that_starts_over_tls_each_sends_one_request_at_most() {
    let since = Instant::now();
    let figures = herd(REDIS_OVER_TLS, None, Duration::from_secs(1), |_, _, _| ());
    let row = tell("all start in one second, over TLS", &figures, Duration::ZERO, since);
    assert!(row.requests <= figures.hosts as u64 && row.failed == 0);
}

#[test]
fn without_redis_each_of_a_herd_sends_one_request() {
    let since = Instant::now();
    let figures = herd(REDIS, None, minutes(5), |fleet, state, hosts| {
        redis_goes_away(state);
        all_call(fleet, state, hosts);
    });
    let row = tell("all renew in one second, without Redis", &figures, ALL_STALE, since);
    assert_eq!((row.requests, row.failed), (figures.hosts as u64, 0));
}

/// Programs that ask all the time renew at their refresh points, which are drawn at random.
#[test]
fn without_redis_the_requests_are_spread_over_the_refresh_window() {
    let since = Instant::now();
    let figures = herd(REDIS, Some(Duration::from_secs(20)), minutes(5), |_, state, _| {
        redis_goes_away(state);
    });
    let row =
        tell("all renew when their programs ask, without Redis", &figures, FIRST_REFRESH, since);
    assert_eq!((row.requests, row.failed), (figures.hosts as u64, 0));
    let in_minutes = figures.load.requests.within(&(FIRST_REFRESH..UNTIL)).by(60);
    let most = in_minutes.iter().max().copied().unwrap_or_default();
    println!("in a minute: {most} requests at the most");
    // A thirtieth on average.
    assert!(most <= figures.hosts as u64 / 5, "{in_minutes:?}");
}
