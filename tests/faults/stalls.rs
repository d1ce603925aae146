//! Notices when the machine stood still: whatever has a time limit fails then, and rightly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const NAP: Duration = Duration::from_millis(20);
/// Less than a tenth of the shortest limit is none.
const SHORTEST: Duration = Duration::from_millis(50);

#[derive(Clone)]
pub struct Stalls(Arc<AtomicU64>);

impl Stalls {
    /// From now on.
    pub fn watch() -> Self {
        let stalls = Self(Arc::default());
        let count = stalls.0.clone();
        thread::spawn(move || {
            loop {
                let start = Instant::now();
                thread::sleep(NAP);
                if start.elapsed() > NAP + SHORTEST {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        stalls
    }

    /// How many were noticed.
    pub fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// How many there were, with one that may not have been noticed yet.
    pub fn count(&self) -> u64 {
        thread::sleep(2 * NAP);
        self.so_far()
    }
}
