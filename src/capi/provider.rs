//! Makes providers, and hands out their tokens.

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::config::clazar_config;
use super::failure::clazar_error;
use super::guard::{self, or_fallback};
use super::status::clazar_status;
use super::text;
use super::token::clazar_token;
use crate::{AccessToken, Error, TokenProvider};

/// Hands out a valid token, and gets a new one when it is due. Reference counted, and safe to use
/// from any number of threads at once.
///
/// After fork() the child goes on with the provider and with its token, even if a token request was
/// under way in the parent; each process then makes its own token requests.
pub struct clazar_provider {
    pub(super) provider: TokenProvider,
}

/// Makes a provider. No request is sent before the first token is asked for.
///
/// Reads the environment variables `HTTPS_PROXY` and `NO_PROXY` unless a proxy is set, and
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`, and with the store "file" those that name its folder, now and
/// never again; none of them counts with `clazar_config_set_trust_env` off. The files that
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name are read with the first connection over TLS, and again when
/// they have changed or a certificate was refused.
///
/// @param config the configuration; it may be changed or freed afterwards.
/// @param provider set to the provider, which the caller frees with `clazar_provider_free`; NULL on
///   failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK`, `CLAZAR_ERR_INVALID_ARGUMENT` for an option that cannot work, or
///   `CLAZAR_ERR_TRANSPORT` if a file cannot be read now and may be later, or memory is short.
///
/// Thread-safe, as long as no other thread changes `config` or the environment.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_new(
    config: *const clazar_config,
    provider: *mut *mut clazar_provider,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live config or NULL, and valid out-parameters or NULL.
    unsafe {
        guard::clear(provider);
        guard::run(error, || {
            guard::check_not_null(provider, "provider")?;
            let config = guard::handle(config, "config")?.checked()?;
            let made = config.provider()?;
            guard::write_handle(provider, clazar_provider { provider: made });
            Ok(())
        })
    }
}

/// Another handle on the same provider, to be freed like the first.
///
/// @param provider a provider, or NULL.
/// @return the handle; NULL for NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_clone(
    provider: *const clazar_provider,
) -> *mut clazar_provider {
    // SAFETY: the caller passes NULL or a live provider.
    let Some(provider) = (unsafe { provider.as_ref() }) else {
        return ptr::null_mut();
    };
    or_fallback(ptr::null_mut(), || {
        Box::into_raw(Box::new(clazar_provider { provider: provider.provider.clone() }))
    })
}

/// Ends the token request under way and drops the token. From now on, and for those that wait, each
/// call for a token on any handle returns `CLAZAR_ERR_CLOSED`; `clazar_provider_peek` finds none.
/// The callbacks of `clazar_provider_token_async` that are pending are called with `CLAZAR_ERR_CLOSED`,
/// those whose token has come with that.
/// NULL and a closed provider are allowed, and nothing happens.
///
/// @param provider a provider, or NULL.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_close(provider: *const clazar_provider) {
    // SAFETY: the caller passes NULL or a live provider.
    if let Some(provider) = unsafe { provider.as_ref() } {
        or_fallback((), || provider.provider.close());
    }
}

/// Frees this handle; the last one wipes the token and the secret. A token request under way ends
/// by itself. NULL is allowed and does nothing.
///
/// @param provider a provider, or NULL.
///
/// Thread-safe, as the last use of this handle.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_free(provider: *mut clazar_provider) {
    // SAFETY: the caller passes NULL or a handle that it does not use again.
    unsafe { guard::free(provider) };
}

/// A valid token: from memory as long as it is fresh. When it is due, it is renewed in the
/// background. The calling thread waits for a token request only if there is no valid token, or for
/// at most a second while the token is expiring; all that wait at the same time share its token or
/// its failure.
/// No call waits longer than the time-out (`clazar_config_set_timeout_ms`) and a second, or with a
/// store three times the time-out and seven seconds, even if the request hangs: it is then given up with
/// `CLAZAR_ERR_TIMEOUT`, and a later call starts another.
/// After a failure, and until the next token request is due, callers without a valid token get the
/// error at once, and `clazar_error_retry_after_ms` says how long that is.
///
/// @param provider a provider.
/// @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_token(
    provider: *const clazar_provider,
    token: *mut *mut clazar_token,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, and valid out-parameters or NULL.
    unsafe { get(provider, token, error, |provider| provider.token().map(Some)) }
}

/// As `clazar_provider_token`, but this call waits no longer than `timeout_ms`. With 0 it never waits: it
/// gives a token that is available, and starts the token request that is due. A token request that
/// outlasts the wait goes on, for others and for the next call.
///
/// @param provider a provider.
/// @param timeout_ms milliseconds; what is longer than `clazar_provider_token` would wait has no effect.
/// @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`; `CLAZAR_ERR_TIMEOUT`, which is
///   retryable, when the wait has ended and there is no valid token.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_token_timeout(
    provider: *const clazar_provider,
    timeout_ms: u64,
    token: *mut *mut clazar_token,
    error: *mut *mut clazar_error,
) -> clazar_status {
    let timeout = Duration::from_millis(timeout_ms);
    // SAFETY: the caller passes a live provider or NULL, and valid out-parameters or NULL.
    unsafe { get(provider, token, error, |provider| provider.token_timeout(timeout).map(Some)) }
}

/// The token in memory if it is valid, without any I/O.
///
/// @param provider a provider.
/// @param token set to the token, which the caller frees with `clazar_token_free`; NULL if there is
///   none.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK`, even if there is no token, or `CLAZAR_ERR_INVALID_ARGUMENT`.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_peek(
    provider: *const clazar_provider,
    token: *mut *mut clazar_token,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, and valid out-parameters or NULL.
    unsafe { get(provider, token, error, |provider| Ok(provider.peek())) }
}

/// A token from a new token request, or from the one that is under way, for which it waits as long
/// as `clazar_provider_token` may. It ignores the provider's own back-off after a failure and, once in
/// 30 seconds, a wait that the server asked for. On failure a valid token stays in use.
///
/// @param provider a provider.
/// @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_refresh(
    provider: *const clazar_provider,
    token: *mut *mut clazar_token,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, and valid out-parameters or NULL.
    unsafe { get(provider, token, error, |provider| provider.refresh().map(Some)) }
}

/// As `clazar_provider_refresh`, but this call waits no longer than `timeout_ms`; with 0 it starts the token
/// request and never waits.
///
/// @param provider a provider.
/// @param timeout_ms milliseconds; what is longer than `clazar_provider_refresh` would wait has no effect.
/// @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`; `CLAZAR_ERR_TIMEOUT`, which is
///   retryable, when the wait has ended: the token request goes on.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_refresh_timeout(
    provider: *const clazar_provider,
    timeout_ms: u64,
    token: *mut *mut clazar_token,
    error: *mut *mut clazar_error,
) -> clazar_status {
    let timeout = Duration::from_millis(timeout_ms);
    // SAFETY: the caller passes a live provider or NULL, and valid out-parameters or NULL.
    unsafe { get(provider, token, error, |provider| provider.refresh_timeout(timeout).map(Some)) }
}

/// # Safety
/// `provider` must be null or live, the out-parameters null or valid for a write.
unsafe fn get(
    provider: *const clazar_provider,
    token: *mut *mut clazar_token,
    error: *mut *mut clazar_error,
    from: impl FnOnce(&TokenProvider) -> Result<Option<Arc<AccessToken>>, Error>,
) -> clazar_status {
    // SAFETY: the caller vouches for all three.
    unsafe {
        guard::clear(token);
        guard::run(error, || {
            guard::check_not_null(token, "token")?;
            let provider = guard::handle(provider, "provider")?;
            if let Some(found) = from(&provider.provider)? {
                guard::write_handle(token, clazar_token { token: found });
            }
            Ok(())
        })
    }
}

/// Takes `token` out of use, because the API answered 401 to it. Nothing happens if the token in
/// use is already another, so each of many threads may call this; nor if a token was replaced for
/// this reason less than 30 seconds ago, since the API then refuses for another one. A 403 is no
/// reason to call this.
///
/// @param provider a provider.
/// @param token the token that was refused.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or `CLAZAR_ERR_INVALID_ARGUMENT`.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_invalidate(
    provider: *const clazar_provider,
    token: *const clazar_token,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes live handles or NULL, and a valid out-parameter or NULL.
    unsafe {
        guard::run(error, || {
            let provider = guard::handle(provider, "provider")?;
            provider.provider.invalidate(&guard::handle(token, "token")?.token);
            Ok(())
        })
    }
}

/// Whether a request to `url` may carry the token: https, or http on this machine, to one of the
/// hosts of `clazar_config_set_allowed_hosts`. To be asked before a request to each URL that the
/// program did not write itself, such as one that an answer names.
///
/// @param provider a provider; a closed one answers as well.
/// @param url NUL-terminated UTF-8.
/// @param error set to NULL, or to an error that the caller frees and that says why not; may be NULL.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if the token must not go there.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_check_url(
    provider: *const clazar_provider,
    url: *const c_char,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, a NUL-terminated text or NULL, and a valid
    // out-parameter or NULL.
    unsafe {
        guard::run(error, || {
            let provider = guard::handle(provider, "provider")?;
            Ok(provider.provider.check_url(text::read(url, "url")?)?)
        })
    }
}
