//! Counts what a fleet asks of the store and of the API.

use std::ops::Range;
use std::time::Duration;

/// In each second of a run.
#[derive(Clone, Default)]
pub(crate) struct Load {
    pub(crate) connections: Counts,
    pub(crate) commands: Counts,
    pub(crate) requests: Counts,
    /// Of the requests, those that bring a token.
    pub(crate) tokens: Counts,
    /// Of the requests, those of hosts whose clocks are wrong.
    pub(crate) wrong_clocks: Counts,
    /// Of all commands: looks, locks, replacements, and releases.
    pub(crate) kinds: [u64; 4],
}

/// How often something happened in each second.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts(Vec<u32>);

impl Counts {
    pub(crate) fn add(&mut self, at: Duration) {
        let second = at.as_secs() as usize;
        if self.0.len() <= second {
            self.0.resize(second + 1, 0);
        }
        self.0[second] += 1;
    }

    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().map(|count| u64::from(*count)).sum()
    }

    /// Of the seconds from one time to another.
    pub(crate) fn within(&self, span: &Range<Duration>) -> Self {
        let end = (span.end.as_secs() as usize).min(self.0.len());
        let start = (span.start.as_secs() as usize).min(end);
        Self(self.0[start..end].to_vec())
    }

    /// The sums of spans of so many seconds.
    pub(crate) fn by(&self, seconds: usize) -> Vec<u64> {
        let sum = |span: &[u32]| span.iter().map(|count| u64::from(*count)).sum();
        self.0.chunks(seconds).map(sum).collect()
    }

    /// The most in one second of each span.
    pub(crate) fn most_by(&self, seconds: usize) -> Vec<u32> {
        self.0.chunks(seconds).map(|span| *span.iter().max().expect("no span is empty")).collect()
    }

    /// The most in a second, and which.
    pub(crate) fn most(&self) -> (u32, Duration) {
        let most = self.0.iter().enumerate().max_by_key(|(at, count)| (**count, -(*at as i64)));
        most.map_or_else(Default::default, |(at, count)| (*count, Duration::from_secs(at as u64)))
    }
}
