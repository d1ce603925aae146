//! Puts off the cancellation of a thread, which would unwind through Rust and so end the process.

use std::ffi::c_int;
use std::ptr;

// As POSIX has it; the libc crate leaves it out for Linux.
unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, previous: *mut c_int) -> c_int;
}

#[cfg(target_os = "linux")]
const PTHREAD_CANCEL_DISABLE: c_int = 1;
#[cfg(target_vendor = "apple")]
const PTHREAD_CANCEL_DISABLE: c_int = 0;

/// Runs `work`, which may block in system calls, with cancellation put off until it has ended.
pub(crate) fn with_cancel_disabled<T>(work: impl FnOnce() -> T) -> T {
    let mut previous = 0;
    // SAFETY: `previous` is valid for a write; the call has no other effect.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut previous) };
    let _restore = Restore(previous);
    work()
}

struct Restore(c_int);

impl Drop for Restore {
    fn drop(&mut self) {
        // SAFETY: the state came from the same function; a null pointer is allowed there.
        unsafe { pthread_setcancelstate(self.0, ptr::null_mut()) };
    }
}
