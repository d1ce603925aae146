//! In place of what tells a forked child that it is one: Windows starts each process anew.

/// The number of forks between the first process and this one.
#[inline]
pub(crate) fn count() -> u32 {
    0
}

/// Another number in each process of those that fork from one another.
#[inline]
pub(crate) fn generation() -> u64 {
    0
}

/// There is nothing to watch.
#[inline]
pub(crate) fn watch() {}

/// Runs `work`, which no fork can come into.
#[inline]
pub(crate) fn hold<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// A lock or a connection, of which no other process has a part.
pub(crate) struct ClosedInChild<T>(T);

impl<T> ClosedInChild<T> {
    /// What `open` opens, however long that takes.
    pub(crate) fn open<E>(open: impl Fn() -> Result<T, E>) -> Result<Self, E> {
        open().map(Self)
    }

    /// Always there.
    #[expect(clippy::unnecessary_wraps, reason = "on other systems a forked child has none")]
    pub(crate) fn get(&self) -> Option<&T> {
        Some(&self.0)
    }
}
