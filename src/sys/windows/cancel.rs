//! In the place of what puts off the cancellation of a thread: Windows cancels none.

/// Runs `work`.
#[inline]
pub(crate) fn with_cancel_disabled<T>(work: impl FnOnce() -> T) -> T {
    work()
}
