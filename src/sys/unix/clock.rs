//! Reads the clocks: on Linux the coarse ones, which cost a fifth of the others.

use std::time::Duration;

#[cfg(not(target_os = "linux"))]
use libc::{CLOCK_MONOTONIC as MONOTONIC, CLOCK_REALTIME as WALL};
#[cfg(target_os = "linux")]
use libc::{CLOCK_MONOTONIC_COARSE as MONOTONIC, CLOCK_REALTIME_COARSE as WALL};

/// By which Linux moves its coarse clocks on (`CONFIG_HZ=100`).
pub(in crate::sys) const LONGEST_TICK: Duration = Duration::from_millis(10);

/// On macOS with the time in which the machine was suspended; on Linux the wall clock has that.
#[inline]
pub(in crate::sys) fn monotonic() -> Duration {
    read(MONOTONIC)
}

/// Since 1970.
#[inline]
pub(in crate::sys) fn wall() -> Duration {
    read(WALL)
}

/// How long the machine has been up, suspended time included.
#[cfg(target_os = "linux")]
pub(in crate::sys) fn uptime() -> Duration {
    read(libc::CLOCK_BOOTTIME)
}

#[cfg(not(target_os = "linux"))]
pub(in crate::sys) use self::monotonic as uptime;

/// Another text after each boot.
#[cfg(target_os = "linux")]
pub(in crate::sys) fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim_end().to_owned())
}

#[cfg(not(target_os = "linux"))]
pub(in crate::sys) fn boot_id() -> Option<String> {
    None
}

#[inline]
fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to; the call has no other effect.
    let status = unsafe { libc::clock_gettime(clock, &mut time) };
    assert_eq!(status, 0, "the clock {clock} cannot be read");
    // A wall clock before 1970 reads as 1970.
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tick_is_longer() {
        let mut tick = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `tick` is a valid timespec to write to.
        assert_eq!(unsafe { libc::clock_getres(MONOTONIC, &mut tick) }, 0);
        assert!(Duration::new(tick.tv_sec as u64, tick.tv_nsec as u32) <= LONGEST_TICK);
    }
}
