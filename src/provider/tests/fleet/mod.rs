//! Runs fleets of thousands of hosts, with real providers, in simulated time.
//!
//! Real are the provider, with its policy and its jitter, and the shared store (`store::tests::simulation`, which
//! simulates Redis, the API and the clocks). A program that uses the provider is simulated here (`programs.rs`):
//! as long as the token in memory is fresh, its calls change nothing and are passed over.

mod chart;
mod figures;
mod herd;
mod incidents;
mod month;
mod programs;

use std::time::Duration;

use crate::store::tests::simulation::Speed;

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

const fn hours(count: u64) -> Duration {
    minutes(60 * count)
}

const fn day(number: u64) -> Duration {
    hours(24 * number)
}

/// Whether there is time for thousands of hosts.
fn is_large() -> bool {
    std::env::var("CLAZAR_SIMULATION").is_ok_and(|size| size == "large")
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|number| number.parse().ok())
}

fn seed() -> u64 {
    number("CLAZAR_SEED").unwrap_or(1)
}

/// How many hosts there are, in the large form and in the short one.
fn hosts(large: usize, short: usize) -> usize {
    let usual = if is_large() { large } else { short };
    number("CLAZAR_HOSTS").map_or(usual, |hosts| hosts as usize)
}

/// A Redis on one core of the machine that `docs/fleet.md` names, measured with `redis-benchmark`.
const REDIS: Speed =
    Speed { connection: Duration::from_micros(50), command: Duration::from_micros(15) };
/// The same over TLS, with a key for P-256.
const REDIS_OVER_TLS: Speed = Speed { connection: Duration::from_micros(240), ..REDIS };
