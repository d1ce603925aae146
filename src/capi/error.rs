//! Reads and frees errors.

use std::ffi::c_char;

use super::failure::clazar_error;
use super::guard;
use super::status::clazar_status::{self, CLAZAR_OK};
use super::time::milliseconds_rounded_up;

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
/// @return NUL-terminated UTF-8, valid as long as the error; "" for NULL.
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
    wait.map_or(-1, milliseconds_rounded_up)
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
