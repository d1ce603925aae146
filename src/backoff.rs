//! Says how long to wait after failures in a row.

use std::time::Duration;

use crate::error::Error;
use crate::random;

const SECOND: Duration = Duration::from_secs(1);
/// No back-off is longer, whatever the server asked for.
pub(crate) const LONGEST: Duration = Duration::from_secs(300);

/// Without a token, or with one that is about to expire; before jitter.
pub(crate) fn without_token(is_transient: bool, count: u32) -> Duration {
    let (first, longest) =
        if is_transient { (SECOND, 30 * SECOND) } else { (30 * SECOND, LONGEST) };
    doubled(first, longest, count)
}

/// After an error that was the last of so many in a row, for all processes that share a store: one that
/// some of them, who have no token, can bear.
pub(crate) fn for_all_processes(error: &Error, count: u32) -> Duration {
    let own = without_token(error.is_transient(), count).mul_f64(random::upper_half());
    error.requested_wait().map_or(Duration::ZERO, random::spread).max(own)
}

/// The longest of these, all that is drawn included.
pub(crate) fn longest_for_all_processes() -> Duration {
    random::longest_spread(LONGEST)
}

/// `first`, doubled with each failure after the first one.
pub(crate) fn doubled(first: Duration, longest: Duration, count: u32) -> Duration {
    let factor = match count.checked_sub(1) {
        Some(more) => 1_u32.checked_shl(more).unwrap_or(u32::MAX),
        None => 0,
    };
    first.saturating_mul(factor).min(longest)
}
