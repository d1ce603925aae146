//! In place of putting off the cancellation of a thread, which Windows has not.

/// Runs `work`.
#[inline]
pub(crate) fn with_cancel_disabled<T>(work: impl FnOnce() -> T) -> T {
    work()
}
