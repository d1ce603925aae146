//! Copies the value of the Authorization header.

use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

use super::failure::clazar_error;
use super::guard;
use super::provider::clazar_provider;
use super::status::clazar_status;
use super::text;
use crate::binding::{LONGEST_VALUE, cancel};
use crate::{AccessToken, Error, TokenProvider};

/// The size of a buffer that is always large enough for `clazar_provider_authorization`: "Bearer ",
/// 8,000 characters and a NUL. It is no limit of a token: should a later version accept longer ones,
/// only `clazar_provider_token` gives them.
pub const CLAZAR_AUTHORIZATION_MAX: usize = 8008;

const _: () = assert!(CLAZAR_AUTHORIZATION_MAX == "Bearer ".len() + LONGEST_VALUE + 1);

/// Copies the value of the Authorization header, "Bearer <token>", into a buffer of the caller's:
/// the short way to what `clazar_provider_token` gives, with the same waits. With a fresh token it
/// takes no lock and makes no allocation.
///
/// @param provider a provider.
/// @param buffer gets the text and a NUL, or nothing at all; may be NULL if `size` is 0.
/// @param size the buffer's size in bytes; `CLAZAR_AUTHORIZATION_MAX` is always enough.
/// @param length set to the length without the NUL; with `CLAZAR_ERR_BUFFER_TOO_SMALL` to the size
///   that is needed, the NUL included; with any other error to 0. May be NULL.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or any error.
///
/// Thread-safe. The caller may wipe the buffer with `clazar_memzero` after use.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_authorization(
    provider: *const clazar_provider,
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, a buffer of `size` bytes, and valid
    // out-parameters or NULL.
    unsafe { copy_out(provider, buffer, size, length, error, TokenProvider::token) }
}

/// As `clazar_provider_authorization`, but this call waits no longer than `timeout_ms`; with 0 it never
/// waits, as `clazar_provider_token_timeout` says.
///
/// @param provider a provider.
/// @param timeout_ms milliseconds; what is longer than `clazar_provider_authorization` would wait has no
///   effect.
/// @param buffer gets the text and a NUL, or nothing at all; may be NULL if `size` is 0.
/// @param size the buffer's size in bytes; `CLAZAR_AUTHORIZATION_MAX` is always enough.
/// @param length set to the length without the NUL; with `CLAZAR_ERR_BUFFER_TOO_SMALL` to the size
///   that is needed, the NUL included; with any other error to 0. May be NULL.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or any error; `CLAZAR_ERR_TIMEOUT`, which is retryable, when the wait has ended and
///   there is no valid token.
///
/// Thread-safe. The caller may wipe the buffer with `clazar_memzero` after use.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_authorization_timeout(
    provider: *const clazar_provider,
    timeout_ms: u64,
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
    error: *mut *mut clazar_error,
) -> clazar_status {
    let timeout = Duration::from_millis(timeout_ms);
    // SAFETY: the caller passes a live provider or NULL, a buffer of `size` bytes, and valid
    // out-parameters or NULL.
    unsafe {
        copy_out(provider, buffer, size, length, error, |provider| provider.token_timeout(timeout))
    }
}

/// # Safety
/// `provider` must be null or live, `buffer` null or valid for a write of `size` bytes, and the out-parameters
/// null or valid for a write.
unsafe fn copy_out(
    provider: *const clazar_provider,
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
    error: *mut *mut clazar_error,
    wait: impl FnOnce(&TokenProvider) -> Result<Arc<AccessToken>, Error>,
) -> clazar_status {
    // SAFETY: the caller vouches for all of them.
    unsafe {
        if !length.is_null() {
            length.write(0);
        }
        guard::run_at_once(error, || {
            let provider = guard::handle(provider, "provider")?;
            if size > 0 {
                guard::check_not_null(buffer, "buffer")?;
            }
            let copy = |token: &AccessToken| {
                text::copy(token.authorization_with_nul(), buffer, size, length)
            };
            match provider.provider.with_fresh(copy) {
                Some(copied) => copied,
                None => copy(&*cancel::with_cancel_disabled(|| wait(&provider.provider))?),
            }
        })
    }
}
