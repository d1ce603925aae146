//! What several tests share: servers on loopback, certificates for them, and a look at the sources.

pub mod certificates;
pub mod cluster;
#[cfg(target_os = "linux")]
pub mod faulty;
pub mod redis;
pub mod server;
pub mod sources;

use std::thread;
use std::time::{Duration, Instant};

/// Waits for what another thread or process brings about.
#[track_caller]
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not come about within a minute");
        // A loop without a pause would keep what it waits for from the processor.
        thread::sleep(Duration::from_millis(1));
    }
}
