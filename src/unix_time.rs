//! Converts to Unix time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since 1970; zero before that.
pub(crate) fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// At most [`u64::MAX`].
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
