//! Draws random numbers that keep processes from doing the same thing at the same moment.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::text::hex;

/// By how much, besides a tenth, a wait is made longer that a server may have asked many to keep.
const SPREAD: Duration = Duration::from_secs(3);

/// A number in [0, 1), from the system each time: a forked child shares no state with its parent.
pub(crate) fn fraction() -> f64 {
    #[cfg(test)]
    if let Some(fraction) = seeded::fraction() {
        return fraction;
    }
    let mut bytes = [0; 4];
    // Without random numbers, the middle is as good as any other.
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}

/// 64 hexadecimal digits, as those of a SHA-256 hash.
pub(crate) fn name() -> String {
    let mut bytes = [0; 32];
    // Without random numbers, any will do that nobody else has.
    if SystemRandom::new().fill(&mut bytes).is_err() {
        bytes[..4].copy_from_slice(&std::process::id().to_be_bytes());
    }
    hex(&bytes)
}

/// A wait that a server asked for, up to 10 % and 3 s longer: those who were asked together do not come
/// back together.
pub(crate) fn spread(wait: Duration) -> Duration {
    if wait.is_zero() { wait } else { wait + (wait / 10 + SPREAD).mul_f64(fraction()) }
}

/// The longest that comes of it.
pub(crate) fn longest_spread(wait: Duration) -> Duration {
    wait + wait / 10 + SPREAD
}

/// A number in [0.5, 1).
pub(crate) fn upper_half() -> f64 {
    0.5 + fraction() / 2.0
}

/// Draws the same numbers again in each run of a simulation.
#[cfg(test)]
pub(crate) mod seeded {
    use std::cell::RefCell;

    thread_local! {
        static OF_THIS_THREAD: RefCell<Option<Numbers>> = const { RefCell::new(None) };
    }

    /// From now on [`fraction`](super::fraction) is drawn from these on this thread.
    pub(crate) fn use_here(numbers: Numbers) {
        OF_THIS_THREAD.set(Some(numbers));
    }

    pub(super) fn fraction() -> Option<f64> {
        OF_THIS_THREAD.with_borrow_mut(|numbers| numbers.as_mut().map(Numbers::fraction))
    }

    /// The generator SplitMix64.
    #[derive(Clone, Debug)]
    pub(crate) struct Numbers(pub(crate) u64);

    impl Numbers {
        pub(crate) fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }

        /// A number in [0, 1).
        pub(crate) fn fraction(&mut self) -> f64 {
            (self.next() >> 11) as f64 / (1_u64 << 53) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_spread_over_a_tenth_of_it_and_three_seconds() {
        for (wait, longest) in [(0, 0), (10, 14), (30, 36), (300, 333)] {
            let [wait, longest] = [wait, longest].map(Duration::from_secs);
            let drawn: Vec<_> = (0..100).map(|_| spread(wait)).collect();
            assert!(drawn.iter().all(|drawn| (wait..=longest).contains(drawn)), "{drawn:?}");
            assert!(wait.is_zero() || drawn.iter().any(|other| *other != drawn[0]), "{drawn:?}");
        }
    }
}
