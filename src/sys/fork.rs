//! Tells a forked child that it is one: locks and threads of the parent mean nothing there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The number of forks between the process that first called [`watch`] and this one.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Has [`generation`] count from now on.
///
/// An atomic and no `Once`: a fork in the middle of a `Once` would leave it locked in the child.
pub(crate) fn watch() {
    static WATCHING: AtomicBool = AtomicBool::new(false);
    if !WATCHING.swap(true, Ordering::Relaxed) {
        // SAFETY: the handler only adds to an atomic, which POSIX allows in a forked child, and it
        // lives as long as the library.
        unsafe { libc::pthread_atfork(None, None, Some(count)) };
    }
}

extern "C" fn count() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
