//! Tells a forked child that it is one: locks and threads of the parent mean nothing there.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);

const NONE: i32 = -1;
/// Descriptors that a child must not keep.
static OURS_ALONE: [AtomicI32; 64] = [const { AtomicI32::new(NONE) }; 64];

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
        // SAFETY: the handler uses atomics and close(), which POSIX allows in a forked child, and it
        // lives as long as the library.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    }
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    for slot in &OURS_ALONE {
        let descriptor = slot.swap(NONE, Ordering::Relaxed);
        if descriptor != NONE {
            // SAFETY: the descriptor was open in the parent at the time of the fork, and its owner is a
            // thread that the child does not have, or one that finds the slot empty.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// A descriptor that a forked child does not inherit, once [`watch`] was called.
pub(crate) struct ClosedInChild {
    descriptor: Option<OwnedFd>,
    slot: &'static AtomicI32,
}

impl ClosedInChild {
    /// `None` if there are too many of them.
    pub(crate) fn new(descriptor: OwnedFd) -> Option<Self> {
        let number = descriptor.as_raw_fd();
        let free = |slot: &&AtomicI32| {
            slot.compare_exchange(NONE, number, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        let slot = OURS_ALONE.iter().find(free)?;
        Some(Self { descriptor: Some(descriptor), slot })
    }
}

impl AsFd for ClosedInChild {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_ref().expect("it is taken on drop alone").as_fd()
    }
}

impl Drop for ClosedInChild {
    fn drop(&mut self) {
        let Some(descriptor) = self.descriptor.take() else { return };
        if self.slot.swap(NONE, Ordering::Relaxed) == NONE {
            // In a child, where it is closed already, and the number may be another's by now.
            std::mem::forget(descriptor);
        }
    }
}
