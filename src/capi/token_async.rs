//! Gets a token without blocking, and calls back with it.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use super::failure::clazar_error;
use super::guard;
use super::provider::clazar_provider;
use super::status::clazar_status;
use super::token::clazar_token;
use crate::{AccessToken, Error};

/// Called with a token, or with an error; the other one is NULL. The callback owns it, and frees it with
/// `clazar_token_free` or `clazar_error_free`, now or later.
///
/// It runs on a thread of the library, on which all signals are blocked; no lock is held. It may call any
/// function of the library. All callbacks of a provider share that thread, so one that blocks keeps the
/// others waiting, though no caller of any other function: a program with an event loop hands the token
/// over and wakes its loop, by a write to a pipe or an eventfd. It must return: a C++ exception must not
/// leave it, nor may it call `pthread_exit` or cancel its own thread, which aborts the process.
pub type clazar_token_callback = Option<
    unsafe extern "C" fn(context: *mut c_void, token: *mut clazar_token, error: *mut clazar_error),
>;

/// A valid token, as `clazar_provider_token` gives it, without blocking the calling thread, however many
/// calls wait at a time. If a token is available it comes at once, through `token`, and nothing is called.
/// Otherwise `callback` is called exactly once, within the time that `clazar_provider_token` may take, and
/// maybe before this function has returned. `clazar_provider_close` has it called with
/// `CLAZAR_ERR_CLOSED`, unless its token has come, and maybe after `clazar_provider_close` has returned.
/// Freeing the provider ends no wait, and one wait cannot be cancelled. In a child that is forked
/// meanwhile it is not called.
///
/// @param provider a provider.
/// @param callback what to call with the token or the error; must not be NULL.
/// @param context passed to it as it is; any thread may use it. May be NULL. It is the callback's to free
///   if it is going to be called, and stays the caller's otherwise.
/// @param token set to the token if one is available, which the caller frees with `clazar_token_free`; NULL if
///   `callback` is going to be called, and on failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` if there is a token or `callback` is going to be called; any error but
///   `CLAZAR_ERR_BUFFER_TOO_SMALL` if it is not.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_token_async(
    provider: *const clazar_provider,
    callback: clazar_token_callback,
    context: *mut c_void,
    token: *mut *mut clazar_token,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, and valid out-parameters or NULL.
    unsafe {
        guard::clear(token);
        guard::run(error, || {
            guard::check_not_null(token, "token")?;
            let provider = guard::handle(provider, "provider")?;
            let callback = callback.ok_or_else(|| guard::null("callback"))?;
            let call = Call { callback, context };
            if let Some(found) =
                provider.provider.token_or_call(move |outcome| call.tell(outcome))?
            {
                guard::write_handle(token, clazar_token { token: found });
            }
            Ok(())
        })
    }
}

struct Call {
    callback: unsafe extern "C" fn(*mut c_void, *mut clazar_token, *mut clazar_error),
    context: *mut c_void,
}

// SAFETY: the caller promises that any thread may use the context.
unsafe impl Send for Call {}

impl Call {
    fn tell(self, outcome: Result<Arc<AccessToken>, Error>) {
        let (token, error) = match outcome {
            Ok(token) => (Box::into_raw(Box::new(clazar_token { token })), ptr::null_mut()),
            Err(error) => (ptr::null_mut(), clazar_error::boxed(error.into())),
        };
        // SAFETY: the caller gave the function for this context.
        unsafe { (self.callback)(self.context, token, error) };
    }
}
