//! Limits the time that Redis may take: each command's, and that of all in a session together.

use std::io;
use std::time::{Duration, Instant};

/// For a command from its first byte to the last of its answer, and for all it takes to connect.
const COMMAND: Duration = Duration::from_secs(1);
/// For all of them, but for those of a wait for another holder; what passes between two commands does not
/// count.
const SESSION: Duration = Duration::from_secs(2);
/// For what is sent and not waited for.
const MOMENT: Duration = Duration::from_millis(10);

/// What is left of a session's time.
pub(super) struct Budget(Duration);

/// When a command ends, done or not.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    until: Instant,
    is_cut: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self(SESSION)
    }

    /// Runs a command within what it may take.
    pub(super) fn spend<T>(&mut self, command: impl FnOnce(Limit) -> T) -> T {
        let start = Instant::now();
        let limit = Limit { until: start + COMMAND.min(self.0), is_cut: self.0 < COMMAND };
        let result = command(limit);
        self.0 = self.0.saturating_sub(start.elapsed());
        result
    }
}

impl Limit {
    pub(super) fn moment() -> Self {
        Self { until: Instant::now() + MOMENT, is_cut: true }
    }

    pub(super) fn left(self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        // For the system, less than a microsecond would be for ever.
        if left.as_micros() == 0 { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// What is wrong with a server for which it was too short.
    pub(super) fn words(self) -> &'static str {
        if self.is_cut {
            "is too slow: it has had 2 s for all commands of a token request"
        } else {
            "does not answer within 1 s"
        }
    }
}
