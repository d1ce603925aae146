//! Tells moments of a store's clock apart from those of any other.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::sys::clock::Clock;
use crate::unix_time::{milliseconds, since_1970};

/// Clocks that differ by more than this are not both right.
pub(super) const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

const UNIX: &str = "unix";

/// A moment by one clock. Hosts may have wrong clocks; what they share is dated by the clock of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Which clock this is: moments by another cannot be compared with it.
    clock: String,
    /// In milliseconds since that clock's own beginning.
    at: u64,
}

impl Stamp {
    pub(super) fn new(clock: impl Into<String>, at: Duration) -> Self {
        Self { clock: clock.into(), at: milliseconds(at) }
    }

    /// By a clock that shows the time since 1970.
    pub(super) fn unix(at: Duration) -> Self {
        Self::new(UNIX, at)
    }

    /// By the time that this machine has been up, suspended time included.
    pub(super) fn of_boot(clock: &Clock) -> Option<Self> {
        clock.boot().map(|boot| Self::new(boot.id, boot.uptime))
    }

    /// The moment that was so long before.
    pub(super) fn before(&self, passed: Duration) -> Self {
        Self { clock: self.clock.clone(), at: self.at.saturating_sub(milliseconds(passed)) }
    }

    /// The moment that is so long after.
    pub(super) fn after(&self, passed: Duration) -> Self {
        Self { clock: self.clock.clone(), at: self.at.saturating_add(milliseconds(passed)) }
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Whether it may be now, as far as this host's own wall clock can tell.
    pub(super) fn agrees_with(&self, wall: SystemTime) -> bool {
        let apart = self.at.abs_diff(milliseconds(since_1970(wall)));
        self.clock != UNIX || Duration::from_millis(apart) <= CLOCK_DIFFERENCE
    }

    /// Whether both are by the same clock.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        self.clock == other.clock
    }

    /// How long before this one `earlier` was; `None` if it was not, or if their clocks are not the same.
    pub(super) fn since(&self, earlier: &Self) -> Option<Duration> {
        let passed = self.is_comparable(earlier).then(|| self.at.checked_sub(earlier.at));
        passed.flatten().map(Duration::from_millis)
    }
}
