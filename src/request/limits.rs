//! Limits how long a token request may take, and how large it may be.

use std::time::{Duration, Instant};

/// For the whole of it, with all attempts, unless the options say otherwise.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const LONGEST_TIMEOUT: Duration = Duration::from_secs(86_400);
pub(super) const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const MOST_ATTEMPTS: u32 = 3;
/// Of the answer, as it is sent.
pub(super) const BODY_LIMIT: usize = 64 * 1024;

/// The renewal of a token in use is given so long at the least.
const SHORTEST_RENEWAL: Duration = Duration::from_secs(2);

/// How long the renewal of a valid token may take, if that is less than the timeout.
#[derive(Clone, Copy)]
pub(crate) struct RenewalLimit {
    margin: Instant,
    expiry: Instant,
    shortest: Duration,
}

impl RenewalLimit {
    pub(crate) fn new(now: Instant, until_margin: Duration, until_expiry: Duration) -> Self {
        let shortest = SHORTEST_RENEWAL;
        Self { margin: now + until_margin, expiry: now + until_expiry, shortest }
    }

    /// However short that is.
    pub(crate) fn within(now: Instant, wait: Duration) -> Self {
        Self { shortest: Duration::ZERO, ..Self::new(now, wait, wait) }
    }

    /// The token that it brings is not to be lost as long as the one in use is valid.
    pub(super) fn first_attempt(self, now: Instant) -> Duration {
        self.left(now, self.expiry)
    }

    /// Beyond this there is no pause and no further attempt: a server that is silent, or asks to wait, does
    /// not stand in the way of the request that is made then.
    pub(crate) fn all(self, now: Instant) -> Duration {
        self.left(now, self.margin)
    }

    fn left(self, now: Instant, until: Instant) -> Duration {
        until.saturating_duration_since(now).max(self.shortest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What there is to fall back on would have expired after that.
    #[test]
    fn a_short_limit_is_kept() {
        let (now, wait) = (Instant::now(), Duration::from_millis(500));
        let limit = RenewalLimit::within(now, wait);
        assert_eq!((limit.first_attempt(now), limit.all(now)), (wait, wait));
        let renewal = RenewalLimit::new(now, wait, wait);
        assert_eq!(
            (renewal.first_attempt(now), renewal.all(now)),
            (SHORTEST_RENEWAL, SHORTEST_RENEWAL)
        );
    }
}
