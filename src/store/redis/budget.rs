//! Limits the time that Redis may take: each command's, and that of all in a session together.

use std::io;
use std::time::{Duration, Instant};

use crate::sys::socket::share;
use crate::text;

/// For a command from its first byte to the last of its answer, and for all it takes to connect.
const COMMAND: Duration = Duration::from_secs(1);
/// For all of them, but for those of a wait for another holder; what passes between two commands does not
/// count.
const SESSION: Duration = Duration::from_secs(2);
/// For what is sent and not waited for.
const MOMENT: Duration = Duration::from_millis(10);
/// For the end of a lease, when nothing else is left.
const LAST: Duration = Duration::from_millis(100);

/// What is left of a session's time.
pub(super) struct Budget {
    left: Duration,
    /// Whether there is more for others.
    is_part: bool,
}

/// When a command ends, done or not.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    until: Instant,
    length: Duration,
    /// Whether it is less than a command may take otherwise.
    is_cut: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: SESSION, is_part: false }
    }

    /// Runs a command within what it may take.
    pub(super) fn spend<T>(&mut self, command: impl FnOnce(Limit) -> T) -> T {
        let start = Instant::now();
        let length = COMMAND.min(self.left);
        let is_cut = length < COMMAND && !self.is_part;
        let result = command(Limit { until: start + length, length, is_cut });
        self.left = self.left.saturating_sub(start.elapsed());
        result
    }

    /// Runs several commands within a part of what is left, so that so many others have theirs.
    pub(super) fn spend_part<T>(&mut self, others: usize, act: impl FnOnce(&mut Self) -> T) -> T {
        let part = share(self.left, others + 1).min(self.left);
        let mut budget = Self { left: part, is_part: others > 0 };
        let result = act(&mut budget);
        self.left = self.left.saturating_sub(part - budget.left);
        result
    }

    pub(super) fn leave_time_for_the_end(&mut self) {
        self.left = self.left.max(LAST);
    }
}

impl Limit {
    pub(super) fn moment() -> Self {
        Self { until: Instant::now() + MOMENT, length: MOMENT, is_cut: true }
    }

    pub(super) fn left(self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        // For the system, less than a microsecond would be for ever.
        if left.as_micros() == 0 { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// What is wrong with a server for which it was too short.
    pub(super) fn words(self) -> String {
        if self.is_cut {
            let all = text::seconds(SESSION);
            format!("is too slow: it has had {all} for all commands of a token request")
        } else {
            format!("does not answer within {}", text::seconds(self.length))
        }
    }
}
