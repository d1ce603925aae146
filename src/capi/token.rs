//! Requests, reads and frees tokens.

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use super::config::clazar_config;
use super::failure::clazar_error;
use super::guard::{self, or_fallback};
use super::status::clazar_status;
use super::text;
use crate::binding::since_1970;
use crate::{AccessToken, authenticate};

/// An access token. Immutable: any number of threads may read it.
pub struct clazar_token {
    pub(super) token: Arc<AccessToken>,
}

/// Requests a new token with the client id and secret: one token request on the calling thread, and
/// nothing is kept. A program that needs the token more than once is better served by a
/// `clazar_provider`, whose calls also end if a system call hangs.
///
/// Reads the environment variables `HTTPS_PROXY` and `NO_PROXY` unless a proxy is set, and
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`; none of them counts with `clazar_config_set_trust_env` off.
/// The store and the allowed hosts of `config` are for a provider, and have no effect here.
///
/// @param config the configuration; it may be changed or freed afterwards.
/// @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`, `CLAZAR_ERR_STORE` and
///   `CLAZAR_ERR_CLOSED`.
///
/// Thread-safe, as long as no other thread changes `config` or the environment.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_authenticate(
    config: *const clazar_config,
    token: *mut *mut clazar_token,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live config or NULL, and valid out-parameters or NULL.
    unsafe {
        guard::clear(token);
        guard::run(error, || {
            guard::check_not_null(token, "token")?;
            let config = guard::handle(config, "config")?.checked()?;
            let authenticated = authenticate(&config.credentials()?, &config.options())?;
            guard::write_handle(token, clazar_token { token: Arc::new(authenticated) });
            Ok(())
        })
    }
}

/// The token itself, without "Bearer".
///
/// @param token a token, or NULL.
/// @param length set to the length without the NUL (0 for NULL); may be NULL.
/// @return NUL-terminated ASCII, valid as long as `token`; NULL for NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_token_value(
    token: *const clazar_token,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller passes a live token or NULL, and a valid length or NULL.
    unsafe { lend(token, length, AccessToken::value_with_nul) }
}

/// The value of the Authorization header, "Bearer <token>" (RFC 6750 section 2.1).
///
/// @param token a token, or NULL.
/// @param length set to the length without the NUL (0 for NULL); may be NULL.
/// @return NUL-terminated ASCII, valid as long as `token`; NULL for NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_token_authorization(
    token: *const clazar_token,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller passes a live token or NULL, and a valid length or NULL.
    unsafe { lend(token, length, AccessToken::authorization_with_nul) }
}

/// # Safety
/// `token` must be null or a live token, `length` null or valid for a write.
unsafe fn lend(
    token: *const clazar_token,
    length: *mut usize,
    part: impl FnOnce(&AccessToken) -> &[u8],
) -> *const c_char {
    // SAFETY: the caller vouches for both.
    unsafe {
        match token.as_ref() {
            Some(token) => text::lend(part(&token.token), length),
            None => {
                if !length.is_null() {
                    length.write(0);
                }
                ptr::null()
            }
        }
    }
}

/// When the token expires, by this machine's wall clock at the time of the token request.
///
/// @param token a token, or NULL.
/// @return Unix seconds, rounded down; 0 for NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_token_expires_at(token: *const clazar_token) -> i64 {
    // SAFETY: the caller passes NULL or a live token.
    let token = unsafe { token.as_ref() };
    token.map_or(0, |token| since_1970(token.token.expires_at()).as_secs() as i64)
}

/// How long the token is still valid. Time that the machine was suspended counts.
///
/// @param token a token, or NULL.
/// @return seconds, rounded down; 0 once it has expired, and for NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_token_expires_in(token: *const clazar_token) -> i64 {
    // SAFETY: the caller passes NULL or a live token.
    let token = unsafe { token.as_ref() };
    or_fallback(0, || token.map_or(0, |token| token.token.expires_in().as_secs() as i64))
}

/// Another handle on the same token, to be freed like the first.
///
/// @param token a token, or NULL.
/// @return the handle; NULL for NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_token_clone(token: *const clazar_token) -> *mut clazar_token {
    // SAFETY: the caller passes NULL or a live token.
    let Some(token) = (unsafe { token.as_ref() }) else {
        return ptr::null_mut();
    };
    or_fallback(ptr::null_mut(), || {
        Box::into_raw(Box::new(clazar_token { token: token.token.clone() }))
    })
}

/// Frees a token, and wipes it if nobody else holds it. NULL is allowed and does nothing.
///
/// @param token a token, or NULL.
///
/// Thread-safe, as the last use of this handle.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_token_free(token: *mut clazar_token) {
    // SAFETY: the caller passes NULL or a token that it does not use again.
    unsafe { guard::free(token) };
}
