//! Guards the boundary: hands results out through pointers, and lets no panic past.
//!
//! Which guard a function has follows from what it may do:
//! - it may fail: [`run`], or [`run_at_once`] if its usual case makes no system call;
//! - it cannot fail, but locks, allocates or frees: [`or_fallback`], or [`free`] for a handle;
//! - it copies a field of a handle: none.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::{CallError, clazar_error};
use super::status::clazar_status::{self, CLAZAR_OK};
use crate::Error;
use crate::binding::{cancel, catch_panic};

/// Runs `work` and returns its status; its failure goes to `*error`.
///
/// # Safety
/// `error` must be null or valid for a write.
pub(super) unsafe fn run(
    error: *mut *mut clazar_error,
    work: impl FnOnce() -> Result<(), CallError>,
) -> clazar_status {
    // SAFETY: the caller vouches for `error`.
    unsafe { run_at_once(error, || cancel::with_cancel_disabled(work)) }
}

/// As [`run`], for work that makes no system call in the usual case.
///
/// # Safety
/// As [`run`].
pub(super) unsafe fn run_at_once(
    error: *mut *mut clazar_error,
    work: impl FnOnce() -> Result<(), CallError>,
) -> clazar_status {
    // SAFETY: the caller vouches for `error`.
    unsafe { clear(error) };
    let failure = match catch_panic(|| Ok(work())) {
        Ok(Ok(())) => return CLAZAR_OK,
        Ok(Err(failure)) => failure,
        Err(panicked) => panicked.into(),
    };
    let status = failure.status;
    if !error.is_null() {
        // SAFETY: not null, and the caller vouches for the rest.
        unsafe { error.write(clazar_error::boxed(failure)) };
    }
    status
}

/// Runs `work`, which cannot fail but by a bug; the answer to a bug is `fallback`.
pub(super) fn or_fallback<T>(fallback: T, work: impl FnOnce() -> T) -> T {
    catch_panic(|| Ok(cancel::with_cancel_disabled(work))).unwrap_or(fallback)
}

/// Sets an out-parameter to NULL.
///
/// # Safety
/// `out` must be null or valid for a write.
pub(super) unsafe fn clear<T>(out: *mut *mut T) {
    if !out.is_null() {
        // SAFETY: not null, and the caller vouches for the rest.
        unsafe { out.write(std::ptr::null_mut()) };
    }
}

/// The handle behind a pointer.
///
/// # Safety
/// `handle` must be null or a handle that lives for as long as the reference is used.
pub(super) unsafe fn handle<'a, T>(handle: *const T, name: &str) -> Result<&'a T, Error> {
    // SAFETY: the caller vouches for it.
    unsafe { handle.as_ref() }.ok_or_else(|| null(name))
}

/// No object has more bytes.
pub(super) const LARGEST: usize = isize::MAX as usize;

/// The bytes behind a pointer.
///
/// # Safety
/// `bytes` must be null or have `size` bytes that live for as long as the result is used.
pub(super) unsafe fn bytes<'a>(
    bytes: *const u8,
    size: usize,
    name: &str,
) -> Result<&'a [u8], Error> {
    check_not_null(bytes, name)?;
    if size > LARGEST {
        return Err(Error::invalid(format!("{name} cannot have {size} bytes; give its own size")));
    }
    // SAFETY: not null, not too large, and the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(bytes, size) })
}

/// Puts a new handle into an out-parameter.
///
/// # Safety
/// `out` must be valid for a write.
pub(super) unsafe fn write_handle<T>(out: *mut *mut T, value: T) {
    // SAFETY: the caller vouches for it.
    unsafe { out.write(Box::into_raw(Box::new(value))) };
}

/// Refuses a missing out-parameter before any work is done.
pub(super) fn check_not_null<T>(out: *const T, name: &str) -> Result<(), Error> {
    if out.is_null() {
        return Err(null(name));
    }
    Ok(())
}

pub(super) fn null(name: &str) -> Error {
    Error::invalid(format!("{name} must not be NULL"))
}

/// Drops a handle.
///
/// # Safety
/// `handle` must be null or come from [`write_handle`], and not be used again.
pub(super) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: not null, and the caller vouches for the rest.
        or_fallback((), || drop(unsafe { Box::from_raw(handle) }));
    }
}

/// Lets a caught panic print nothing: standard error belongs to the program.
///
/// The hook is that of the Rust runtime inside this library, not that of a host written in Rust.
pub(super) fn silence_panics() {
    static SILENCED: AtomicBool = AtomicBool::new(false);
    if !SILENCED.swap(true, Ordering::Relaxed) {
        panic::set_hook(Box::new(|_| {}));
    }
}
