//! Errors.

use std::ffi::{CString, c_char, c_void};

use super::guard::{self, Failure, answer};
use super::status::{self, CLAZAR_OK, clazar_status};
use super::text;
use crate::sys::wipe;

/// Why a function failed. Immutable: any number of threads may read it.
pub struct clazar_error {
    failure: Failure,
    message: CString,
}

impl clazar_error {
    pub(super) fn boxed(failure: Failure) -> *mut Self {
        // A NUL cannot be in a message; without it C could not tell the message's end.
        let message = CString::new(failure.error.to_string()).unwrap_or_default();
        Box::into_raw(Box::new(Self { failure, message }))
    }
}

/// The status that the failed function returned; `CLAZAR_OK` for NULL.
///
/// @param error an error, or NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_error_code(error: *const clazar_error) -> clazar_status {
    // SAFETY: the caller passes NULL or a live error.
    unsafe { error.as_ref() }.map_or(CLAZAR_OK, |error| error.failure.status)
}

/// One sentence: what happened, where, and what to do next. It holds no secret and no token.
///
/// @param error an error, or NULL.
/// @return NUL-terminated UTF-8 that lives as long as the error; "" for NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_error_message(error: *const clazar_error) -> *const c_char {
    // SAFETY: the caller passes NULL or a live error.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// The HTTP status code of the API's answer; 0 if none came.
///
/// @param error an error, or NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_error_http_status(error: *const clazar_error) -> i32 {
    // SAFETY: the caller passes NULL or a live error.
    let status = unsafe { error.as_ref() }.and_then(|error| error.failure.error.http_status());
    status.map_or(0, i32::from)
}

/// Whether the same call may succeed later, with nothing changed; false for NULL.
///
/// @param error an error, or NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_error_is_retryable(error: *const clazar_error) -> bool {
    // SAFETY: the caller passes NULL or a live error.
    unsafe { error.as_ref() }.is_some_and(|error| error.failure.error.is_retryable())
}

/// How long to wait before the next call: until the provider that gave this error sends its next
/// request. From `clazar_authenticate`, which does not ask again, it is what the server asked for, up
/// to 300 seconds: `Retry-After` of a 429 or 503 (RFC 9110 section 10.2.3), or `x-ratelimit-reset` of
/// a 429.
///
/// @param error an error, or NULL.
/// @return milliseconds, rounded up; -1 if there is nothing to wait for.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_error_retry_after_ms(error: *const clazar_error) -> i64 {
    // SAFETY: the caller passes NULL or a live error.
    let wait = unsafe { error.as_ref() }.and_then(|error| error.failure.error.retry_after());
    let milliseconds = wait.map(|wait| wait.as_nanos().div_ceil(1_000_000));
    milliseconds.map_or(-1, |wait| i64::try_from(wait).unwrap_or(i64::MAX))
}

/// Frees an error. NULL is allowed and does nothing.
///
/// @param error an error, or NULL.
///
/// Thread-safe, as the last use of this handle.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_error_free(error: *mut clazar_error) {
    // SAFETY: the caller passes NULL or an error that it does not use again.
    unsafe { guard::free(error) };
}

/// The name of a status, such as "CLAZAR_ERR_TIMEOUT"; "unknown status" for any other number.
///
/// @param status any number.
/// @return a text that lives for ever.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn clazar_status_name(status: clazar_status) -> *const c_char {
    answer(c"".as_ptr(), || status::name(status).as_ptr())
}

/// The version of the library, such as "0.1.0".
///
/// @return a text that lives for ever.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn clazar_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    // SAFETY: a null length is allowed.
    unsafe { text::lend(VERSION.as_bytes(), std::ptr::null_mut()) }
}

/// Overwrites memory with zeros, in a way that no compiler leaves out: for the caller's own copies
/// of a secret or a token. NULL is allowed and does nothing.
///
/// @param memory `size` bytes that nobody else uses at the same time.
/// @param size how many bytes `memory` has.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_memzero(memory: *mut c_void, size: usize) {
    if !memory.is_null() {
        let size = size.min(guard::LARGEST);
        // SAFETY: not null; the caller passes `size` bytes of its own.
        unsafe { wipe::memory(memory.cast(), size) };
    }
}
