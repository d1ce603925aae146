//! Random numbers that keep processes from doing the same thing at the same moment.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

/// A number in [0, 1), from the system each time: a forked child shares no state with its parent.
pub(crate) fn fraction() -> f64 {
    let mut bytes = [0; 4];
    // Without random numbers, the middle is as good as any other.
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}

/// A number in [0.5, 1).
pub(crate) fn upper_half() -> f64 {
    0.5 + fraction() / 2.0
}

/// A wait that a server asked for, up to 10 % and 3 s longer, so that those who were asked together do not
/// come back together.
pub(crate) fn spread(wait: Duration) -> Duration {
    wait + (wait / 10 + Duration::from_secs(3)).mul_f64(fraction())
}
