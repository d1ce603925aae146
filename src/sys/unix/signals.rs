//! Blocks signals on threads of the library, since they are meant for the program's own.

use std::mem::MaybeUninit;

/// Runs `work` with all signals blocked, and then restores the mask.
///
/// A thread that is started by `work` inherits the blocked mask from its first instruction on.
pub(super) fn with_all_blocked<T>(work: impl FnOnce() -> T) -> T {
    let _restore = Restore(block_all());
    work()
}

struct Restore(libc::sigset_t);

impl Drop for Restore {
    fn drop(&mut self) {
        // SAFETY: the set was filled in by `block_all`; a null third argument is allowed.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}

fn block_all() -> libc::sigset_t {
    let mut all = MaybeUninit::uninit();
    let mut previous = MaybeUninit::uninit();
    // SAFETY: `sigfillset` initialises `all`, and `pthread_sigmask`, which cannot fail with
    // SIG_SETMASK and valid pointers, initialises `previous`.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), previous.as_mut_ptr());
        previous.assume_init()
    }
}
