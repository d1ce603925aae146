//! Tests that a fresh token is one that the policy calls fresh.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::CachedToken;
use crate::sys::clock::Moment;
use crate::token::AccessToken;

/// Of a token that was to be renewed when it came, and clocks that are set back then.
#[test]
fn no_clock_makes_an_old_token_fresh() {
    let mut now = Moment::at(100.0, 1e9);
    let age = Duration::from_secs(100);
    let token = AccessToken::aged("not-a-real-token", now, age, Duration::from_secs(1));
    let cached = CachedToken::new(Arc::new(token), now);
    now.step(-4.0, -60.0);
    assert!(!cached.is_fresh(now));
}

proptest! {
    /// The short way says what the policy says, also of a token that was old when it came.
    #[test]
    fn fresh_is_what_the_policy_calls_fresh(
        lifetime in 1.0..86_400.0f64,
        age in 0.0..86_400.0f64,
        monotonic in -10.0..90_000.0f64,
        wall in -90_000.0..90_000.0f64,
    ) {
        let mut now = Moment::at(100.0, 1e9);
        let seconds = Duration::from_secs_f64;
        let token = AccessToken::aged("not-a-real-token", now, seconds(age), seconds(lifetime));
        let cached = CachedToken::new(Arc::new(token), now);
        now.step(monotonic, wall);
        prop_assert_eq!(cached.is_fresh(now), cached.age(now).is_fresh());
    }
}
