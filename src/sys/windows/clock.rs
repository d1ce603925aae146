//! Reads the clocks.

use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::System::SystemInformation::GetSystemTimePreciseAsFileTime;
use windows_sys::Win32::System::WindowsProgramming::QueryInterruptTime;

/// By which Windows moves the interrupt time on: 1/64 s, if no program has asked for less.
pub(in crate::sys) const LONGEST_TICK: Duration = Duration::from_millis(16);

/// Between 1601, where FILETIME begins, and 1970.
const BEFORE_1970: Duration = Duration::from_secs(11_644_473_600);

/// Where each process sees `KUSER_SHARED_DATA` (ntddk.h), and where its `BootId` is in there.
const SHARED_DATA: usize = 0x7ffe_0000;
const BOOT_ID: usize = 0x2c4;

/// Suspended time included.
#[inline]
pub(in crate::sys) fn monotonic() -> Duration {
    let mut time = 0;
    // SAFETY: `time` is valid for a write; the call has no other effect.
    unsafe { QueryInterruptTime(&mut time) };
    in_hundreds_of_ns(time)
}

pub(in crate::sys) use self::monotonic as uptime;

/// Since 1970.
#[inline]
pub(in crate::sys) fn wall() -> Duration {
    let mut time = FILETIME::default();
    // SAFETY: as above.
    unsafe { GetSystemTimePreciseAsFileTime(&mut time) };
    let since_1601 = u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    in_hundreds_of_ns(since_1601).saturating_sub(BEFORE_1970)
}

/// Another text after each boot.
pub(in crate::sys) fn boot_id() -> Option<String> {
    let place = ptr::with_exposed_provenance::<u32>(SHARED_DATA + BOOT_ID);
    // SAFETY: the system maps that page into each process, for reading, at this address.
    let number = unsafe { place.read_volatile() };
    // Zero where it is not counted, as under Wine.
    (number != 0).then(|| format!("windows-{number}"))
}

fn in_hundreds_of_ns(time: u64) -> Duration {
    const SECOND: u64 = 10_000_000;
    Duration::new(time / SECOND, (time % SECOND) as u32 * 100)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn the_wall_clock_is_the_standard_librarys() {
        let before = SystemTime::now();
        let now = SystemTime::UNIX_EPOCH + wall();
        assert!(before <= now && now <= SystemTime::now());
    }

    #[test]
    fn the_monotonic_clock_goes_on() {
        let start = monotonic();
        while monotonic() == start {
            std::thread::yield_now();
        }
        assert!(monotonic() - start < Duration::from_secs(10) && start > Duration::ZERO);
    }
}
