//! Describes an event to a callback.

use std::ffi::{CString, c_char};

use super::event_numbers::{clazar_cause, clazar_event, clazar_level};
use super::status::clazar_status::{self, CLAZAR_OK};
use super::time::{milliseconds, milliseconds_rounded_up};
use crate::binding::Event;

/// An event: what happened, and how things were right after it. Later versions may add fields at the end.
#[repr(C)]
pub struct clazar_event_info {
    /// The size of the struct, in bytes: a field beyond it is not there.
    pub size: usize,
    /// What happened.
    pub kind: clazar_event,
    /// Its severity, for a log that takes some events only.
    pub level: clazar_level,
    /// The client id of the provider: NUL-terminated UTF-8, never NULL.
    pub client_id: *const c_char,
    /// One sentence for a log: NUL-terminated UTF-8, never NULL. It names no secret, and of a token
    /// eight hexadecimal digits of its SHA-256 hash.
    pub message: *const c_char,
    /// Why the token request was made that this is about; 0 if it is about none.
    pub cause: clazar_cause,
    /// What failed: the status that a function would return; `CLAZAR_OK` if nothing did.
    pub error_code: clazar_status,
    /// The HTTP status code of the API's answer if that is the failure; 0 if not.
    pub http_status: i32,
    /// After a failure, how long no token request is started, in milliseconds, rounded up; -1 if there was
    /// none.
    pub retry_after_ms: i64,
    /// How long the token in use remains valid, in milliseconds; -1 without one.
    pub expires_in_ms: i64,
}

/// Calls `use_it` with what C is to know of `event`.
pub(super) fn with_info(event: &Event, use_it: impl FnOnce(&clazar_event_info)) {
    // Neither has a NUL in it, without which C could not tell its end.
    let text = |text: &str| CString::new(text).unwrap_or_default();
    let (client_id, message) = (text(&event.client_id), text(&event.message));
    let error = event.error.as_ref();
    use_it(&clazar_event_info {
        size: size_of::<clazar_event_info>(),
        kind: event.kind.into(),
        level: event.level().into(),
        client_id: client_id.as_ptr(),
        message: message.as_ptr(),
        cause: event.cause.into(),
        error_code: error.map_or(CLAZAR_OK, |error| error.kind().into()),
        http_status: error.and_then(|error| error.http_status()).map_or(0, i32::from),
        retry_after_ms: error
            .and_then(|error| error.retry_after())
            .map_or(-1, milliseconds_rounded_up),
        expires_in_ms: event.expires_in.map_or(-1, milliseconds),
    });
}
