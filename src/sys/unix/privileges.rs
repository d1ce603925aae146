//! Tells whether this process may do more than the user who started it.

/// Whether it is set-user-ID or set-group-ID, or has file capabilities: then its environment comes from
/// somebody whom it must not trust (getauxval(3), secure_getenv(3)).
#[cfg(target_os = "linux")]
pub(crate) fn are_raised() -> bool {
    // SAFETY: the call reads what the kernel told of this process when it started.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn are_raised() -> bool {
    // SAFETY: the call has no arguments and no effect.
    unsafe { libc::issetugid() != 0 }
}
