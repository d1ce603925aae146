//! Lists the worlds that are explored: small ones for every run of the tests, and larger ones.

use super::rules::{ALL, ANY, Budget, Limits, Setup};
use super::world::Ticks;

/// Whether there is time for the larger ones.
pub(super) fn is_large() -> bool {
    std::env::var("CLAZAR_MODEL").is_ok_and(|size| size == "large")
}

fn pick<T>(small: T, large: T) -> T {
    if is_large() { large } else { small }
}

/// So many hosts start without a token, and each wants one.
fn cold(name: &'static str, hosts: usize, horizon: Ticks) -> Setup {
    Setup {
        name,
        rules: ALL,
        hosts: vec![0; hosts],
        warm: false,
        newcomers: 0,
        calls: 1,
        renews: false,
        horizon,
        is_file: false,
        timeout: 2,
        life: 60,
        backoff: 2,
        between_replacements: 6,
        budget: Budget::default(),
        limits: Limits::default(),
    }
}

/// All have the same token, which is stored too.
fn warm(name: &'static str, hosts: usize, horizon: Ticks) -> Setup {
    Setup { warm: true, ..cold(name, hosts, horizon) }
}

fn one_at_a_time() -> Limits {
    Limits { one_at_a_time: true, ..Limits::default() }
}

pub(super) fn cold_start() -> Setup {
    Setup {
        limits: Limits { few_requests: true, no_orphans: true, ..one_at_a_time() },
        ..cold("cold start", pick(3, 5), 8)
    }
}

pub(super) fn failures() -> Setup {
    let budget = Budget { own_troubles: 2, failures: 1, ..Budget::default() };
    let limits = Limits { no_orphans: true, ..one_at_a_time() };
    Setup { budget, limits, calls: pick(1, 2), ..cold("failed requests", 3, 12) }
}

pub(super) fn renewals() -> Setup {
    let budget = Budget { unauthorized: 1, ..Budget::default() };
    let limits = Limits { no_orphans: true, ..one_at_a_time() };
    let (hosts, horizon) = pick((2, 8), (3, 5));
    Setup { budget, limits, renews: true, calls: 2, ..warm("renewals and a 401", hosts, horizon) }
}

pub(super) fn all_refused() -> Setup {
    let budget = Budget { unauthorized: ANY, ..Budget::default() };
    let limits = Limits { replacements_apart: true, ..one_at_a_time() };
    Setup { budget, limits, calls: ANY, ..warm("every token refused", pick(3, 4), 14) }
}

pub(super) fn all_refused_and_renewed() -> Setup {
    let (calls, horizon) = (2, pick(7, 12));
    let setup = warm("every token refused, with renewals and a new host", 2, horizon);
    let Setup { budget, limits, .. } = all_refused();
    Setup { renews: true, newcomers: 1, calls, budget, limits, ..setup }
}

pub(super) fn one_dead() -> Setup {
    let budget = Budget { crashes: 1, ..Budget::default() };
    let limits = Limits { few_requests: true, ..Limits::default() };
    Setup { budget, limits, ..cold("one host dies", pick(3, 4), 14) }
}

pub(super) fn one_stopped() -> Setup {
    let budget = Budget { stops: 1, ..Budget::default() };
    let limits = Limits { few_requests: true, ..Limits::default() };
    Setup { budget, limits, ..cold("one host stops and may go on", 3, pick(10, 16)) }
}

/// Who was stopped comes back without a token, while another has its turn.
pub(super) fn stopped_in_vain() -> Setup {
    let budget = Budget { stops: 1, own_troubles: 1, ..Budget::default() };
    let limits = one_at_a_time();
    let timeout = pick(1, 2);
    Setup {
        budget,
        limits,
        timeout,
        ..cold("one host stops, and one request fails", 3, pick(6, 10))
    }
}

/// One holds its lock for longer than the others wait, and another gets it in the moment that one of them has
/// waited long enough.
pub(super) fn locked_files() -> Setup {
    let budget =
        Budget { stops: 1, crashes: pick(0, 1), own_troubles: pick(1, 2), ..Budget::default() };
    let setup = cold("the locks of files", 3, pick(6, 10));
    Setup { budget, limits: one_at_a_time(), is_file: true, timeout: 1, ..setup }
}

pub(super) fn two_dead(hosts: usize) -> Setup {
    let budget = Budget { crashes: 2, ..Budget::default() };
    let limits = Limits { few_requests: true, ..Limits::default() };
    Setup { budget, limits, timeout: 1, ..cold("two hosts die", hosts, 10) }
}

pub(super) fn short_calls(setup: Setup) -> Setup {
    let limits = Limits { short_calls: true, ..setup.limits };
    Setup { limits, ..setup }
}

/// Hosts stop in the middle of anything, have wrong clocks, and tokens live for a short time.
pub(super) fn wrong_clocks() -> Setup {
    let budget = Budget { stops: pick(1, 2), unauthorized: 1, ..Budget::default() };
    let setup = warm("stops and wrong clocks", 2, pick(6, 8));
    let (timeout, life) = (1, 3);
    Setup { hosts: vec![3, -3], budget, renews: true, timeout, life, ..setup }
}

pub(super) fn losses() -> Setup {
    let budget = Budget { losses: pick(1, 2), unauthorized: 2, ..Budget::default() };
    let limits = Limits { no_orphans: !is_large(), ..Limits::default() };
    let setup = warm("lost answers and commands", pick(2, 3), 8);
    Setup { budget, limits, newcomers: 1, calls: 2, ..setup }
}

pub(super) fn cold_losses() -> Setup {
    let budget = Budget { losses: 1, unauthorized: 1, ..Budget::default() };
    let limits = Limits { no_orphans: true, ..Limits::default() };
    let (calls, timeout) = (2, pick(1, 2));
    Setup {
        budget,
        limits,
        calls,
        timeout,
        ..cold("a lost answer after a cold start", 3, pick(3, 6))
    }
}

pub(super) fn outages() -> Setup {
    let budget = Budget { outages: pick(1, 2), unauthorized: 1, ..Budget::default() };
    let setup = warm("the store is away for a while", pick(2, 3), pick(6, 8));
    Setup { budget, newcomers: 1, calls: 2, ..setup }
}

pub(super) fn failover() -> Setup {
    let budget = Budget { failovers: 1, unauthorized: 3, ..Budget::default() };
    let setup = warm("a replica that lags takes over", pick(2, 3), 8);
    Setup { budget, calls: 3, between_replacements: 1, ..setup }
}

pub(super) fn strangers() -> Setup {
    let (deletions, garbage, replays) = pick((1, 1, 1), (1, 1, 2));
    let budget = Budget {
        deletions,
        garbage,
        replays,
        unauthorized: 1,
        failures: pick(0, 1),
        ..Budget::default()
    };
    let setup = warm("strangers delete, replay and write garbage", 2, 5);
    Setup { budget, newcomers: 1, calls: 2, ..setup }
}

pub(super) fn stolen_leases() -> Setup {
    let leases = Budget { long_leases: ANY, ..Budget::default() };
    let budget = Budget { deletions: pick(0, 1), endless_leases: pick(0, 1), ..leases };
    let timeout = pick(1, 2);
    Setup { budget, timeout, ..cold("strangers take the lease all the time", 2, pick(8, 12)) }
}

pub(super) fn one_endless_lease() -> Setup {
    let budget = Budget { endless_leases: pick(1, 3), unauthorized: 2, ..Budget::default() };
    let limits = Limits { impatient: Some(0), ..Limits::default() };
    Setup {
        budget,
        limits,
        calls: 2,
        between_replacements: 1,
        ..cold("a lease without an end", 2, pick(8, 12))
    }
}

pub(super) fn one_long_lease() -> Setup {
    let budget = Budget { long_leases: 1, unauthorized: 2, ..Budget::default() };
    let limits = Limits { impatient: Some(2), ..Limits::default() };
    let (timeout, horizon) = (1, 12);
    let setup = cold("a lease longer than any wait", 2, horizon);
    Setup { budget, limits, calls: 2, between_replacements: 1, timeout, ..setup }
}

pub(super) fn backoffs() -> Setup {
    let budget = Budget { failures: pick(1, 2), own_troubles: 1, ..Budget::default() };
    Setup {
        hosts: vec![3, 0, -3],
        budget,
        calls: 2,
        ..cold("back-offs and wrong clocks", 3, pick(4, 8))
    }
}

pub(super) fn everything() -> Setup {
    let faults = Budget { stops: 1, losses: 1, failovers: 1, ..Budget::default() };
    let also = Budget { crashes: 1, failures: 1, garbage: 1, unauthorized: 1, ..faults };
    let setup = cold("all faults together", 2, 2);
    Setup { hosts: vec![2, -2], budget: pick(faults, also), timeout: 1, backoff: 1, ..setup }
}
