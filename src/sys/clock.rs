//! Measures time that neither a suspended machine nor a stepped clock can make shorter.

use std::time::{Duration, Instant, SystemTime};

use super::system::clock::{LONGEST_TICK, boot_id, monotonic, uptime, wall};

/// Where the time comes from: the system, or a test.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    #[cfg(test)]
    Set(std::sync::Arc<std::sync::Mutex<Moment>>),
    #[cfg(test)]
    Simulated(std::sync::Arc<dyn Simulated>),
}

/// A host's clocks in a simulation.
#[cfg(test)]
pub(crate) trait Simulated: std::fmt::Debug + Send + Sync {
    fn now(&self) -> Moment;
    fn instant(&self) -> Instant;
    fn boot(&self) -> Boot;
    fn pause(&self, length: Duration);
}

impl Clock {
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::System => Moment::now(),
            #[cfg(test)]
            Self::Set(moment) => *moment.lock().unwrap(),
            #[cfg(test)]
            Self::Simulated(clocks) => clocks.now(),
        }
    }

    /// How long to sleep for `left` to have passed by [`now`](Self::now), which is late by up to a tick.
    pub(crate) fn until(&self, left: Duration) -> Duration {
        match self {
            Self::System if !left.is_zero() => left.saturating_add(LONGEST_TICK),
            _ => left,
        }
    }

    /// For spans of time that end while the machine runs, such as waits.
    pub(crate) fn instant(&self) -> Instant {
        match self {
            #[cfg(test)]
            Self::Simulated(clocks) => clocks.instant(),
            _ => Instant::now(),
        }
    }

    /// How long to wait in real time: in a simulation not at all, since there the time has passed by then.
    pub(crate) fn in_real_time(&self, wait: Duration) -> Duration {
        match self {
            #[cfg(test)]
            Self::Simulated(clocks) => {
                clocks.pause(wait);
                Duration::ZERO
            }
            _ => wait,
        }
    }

    pub(crate) fn boot(&self) -> Option<Boot> {
        match self {
            #[cfg(test)]
            Self::Simulated(clocks) => Some(clocks.boot()),
            _ => Boot::now(),
        }
    }
}

/// One reading of the monotonic and of the wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    monotonic: Duration,
    wall: Duration,
}

impl Moment {
    /// No other is before it.
    pub(crate) const LONG_AGO: Self = Self { monotonic: Duration::ZERO, wall: Duration::ZERO };

    #[inline]
    pub(crate) fn now() -> Self {
        Self { monotonic: monotonic(), wall: wall() }
    }

    /// Age: the larger of what the two clocks say has passed since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        monotonic.max(self.wall.saturating_sub(earlier.wall))
    }

    /// The moment at which this one has become so old, whichever clock says so first.
    pub(crate) fn after(self, age: Duration) -> Self {
        Self { monotonic: self.monotonic + age, wall: self.wall + age }
    }

    /// Whether neither clock has come to `other`.
    #[inline]
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.monotonic < other.monotonic && self.wall < other.wall
    }

    pub(crate) fn wall(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.wall
    }
}

/// Which boot of the machine this is, and for how long it has been up, suspended time included.
pub(crate) struct Boot {
    pub(crate) id: String,
    pub(crate) uptime: Duration,
}

impl Boot {
    /// Without an id, which not each system has, no two moments are of the same boot.
    pub(crate) fn now() -> Option<Self> {
        boot_id().map(|id| Self { id, uptime: uptime() })
    }
}

#[cfg(test)]
impl Moment {
    /// A reading of both clocks, in seconds.
    pub(crate) fn at(monotonic: f64, wall: f64) -> Self {
        Self { monotonic: Duration::from_secs_f64(monotonic), wall: Duration::from_secs_f64(wall) }
    }

    /// What the clocks read after time has passed by one and by the other, in seconds.
    pub(crate) fn step(&mut self, monotonic: f64, wall: f64) {
        let passed =
            |clock: Duration, by: f64| Duration::from_secs_f64((clock.as_secs_f64() + by).max(0.0));
        self.monotonic = passed(self.monotonic, monotonic);
        self.wall = passed(self.wall, wall);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_waits_a_tick_longer() {
        let left = Duration::from_secs(1);
        assert_eq!(Clock::System.until(left), left + LONGEST_TICK);
        assert_eq!(Clock::System.until(Duration::ZERO), Duration::ZERO);
    }
}
