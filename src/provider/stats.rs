//! Counts what a provider does.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::interface::{CAUSES, COUNTS};
pub(super) use crate::interface::{Cause, Count};
pub use crate::interface::{Requests, Stats};

#[derive(Default)]
pub(super) struct Counters {
    /// By cause; of each, those that succeeded and those that failed.
    requests: [[AtomicU64; 2]; CAUSES.len()],
    counts: [AtomicU64; COUNTS.len()],
}

impl Counters {
    pub(super) fn add_request(&self, cause: Cause, succeeded: bool) {
        self.requests[cause as usize][usize::from(!succeeded)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add(&self, count: Count) {
        self.counts[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let requests = |cause: Cause| {
            let [succeeded, failed] = &self.requests[cause as usize];
            Requests { succeeded: read(succeeded), failed: read(failed) }
        };
        Stats::new(requests, |count| read(&self.counts[count as usize]))
    }
}
