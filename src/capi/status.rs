//! The numbers that functions return.

use std::ffi::CStr;

use crate::ErrorKind;

/// What a function returns: `CLAZAR_OK`, or one of the `CLAZAR_ERR_*`. Numbers are never reused.
pub type clazar_status = i32;

/// Done.
pub const CLAZAR_OK: clazar_status = 0;
/// An argument, a setting or an environment variable is missing or unusable.
pub const CLAZAR_ERR_INVALID_ARGUMENT: clazar_status = 1;
/// The caller's buffer is too small; nothing was written to it.
pub const CLAZAR_ERR_BUFFER_TOO_SMALL: clazar_status = 2;
/// Name lookup, connect, reset or proxy: the API was not reached. Retryable.
pub const CLAZAR_ERR_TRANSPORT: clazar_status = 3;
/// The API did not answer in time. Retryable.
pub const CLAZAR_ERR_TIMEOUT: clazar_status = 4;
/// The server's certificate was refused, or TLS failed otherwise.
pub const CLAZAR_ERR_TLS: clazar_status = 5;
/// The API refused the client id or the secret (401, 403 with a JSON body, `invalid_client`).
pub const CLAZAR_ERR_CREDENTIALS: clazar_status = 6;
/// The API limits the rate of token requests (429). Retryable.
pub const CLAZAR_ERR_RATE_LIMITED: clazar_status = 7;
/// Another 4xx answer, or a redirect.
pub const CLAZAR_ERR_REJECTED: clazar_status = 8;
/// A 5xx answer. Retryable.
pub const CLAZAR_ERR_SERVER: clazar_status = 9;
/// The answer is not a token.
pub const CLAZAR_ERR_INVALID_RESPONSE: clazar_status = 10;
/// The store cannot be used. Retryable.
pub const CLAZAR_ERR_STORE: clazar_status = 11;
/// The provider is closed.
pub const CLAZAR_ERR_CLOSED: clazar_status = 12;
/// A bug in this library, caught at its boundary.
pub const CLAZAR_ERR_INTERNAL: clazar_status = 13;

pub(super) fn of(kind: ErrorKind) -> clazar_status {
    match kind {
        ErrorKind::InvalidArgument => CLAZAR_ERR_INVALID_ARGUMENT,
        ErrorKind::Transport => CLAZAR_ERR_TRANSPORT,
        ErrorKind::Timeout => CLAZAR_ERR_TIMEOUT,
        ErrorKind::Tls => CLAZAR_ERR_TLS,
        ErrorKind::Credentials => CLAZAR_ERR_CREDENTIALS,
        ErrorKind::RateLimited => CLAZAR_ERR_RATE_LIMITED,
        ErrorKind::Rejected => CLAZAR_ERR_REJECTED,
        ErrorKind::Server => CLAZAR_ERR_SERVER,
        ErrorKind::InvalidResponse => CLAZAR_ERR_INVALID_RESPONSE,
        ErrorKind::Store => CLAZAR_ERR_STORE,
        ErrorKind::Closed => CLAZAR_ERR_CLOSED,
        ErrorKind::Internal => CLAZAR_ERR_INTERNAL,
    }
}

pub(super) fn name(status: clazar_status) -> &'static CStr {
    match status {
        CLAZAR_OK => c"CLAZAR_OK",
        CLAZAR_ERR_INVALID_ARGUMENT => c"CLAZAR_ERR_INVALID_ARGUMENT",
        CLAZAR_ERR_BUFFER_TOO_SMALL => c"CLAZAR_ERR_BUFFER_TOO_SMALL",
        CLAZAR_ERR_TRANSPORT => c"CLAZAR_ERR_TRANSPORT",
        CLAZAR_ERR_TIMEOUT => c"CLAZAR_ERR_TIMEOUT",
        CLAZAR_ERR_TLS => c"CLAZAR_ERR_TLS",
        CLAZAR_ERR_CREDENTIALS => c"CLAZAR_ERR_CREDENTIALS",
        CLAZAR_ERR_RATE_LIMITED => c"CLAZAR_ERR_RATE_LIMITED",
        CLAZAR_ERR_REJECTED => c"CLAZAR_ERR_REJECTED",
        CLAZAR_ERR_SERVER => c"CLAZAR_ERR_SERVER",
        CLAZAR_ERR_INVALID_RESPONSE => c"CLAZAR_ERR_INVALID_RESPONSE",
        CLAZAR_ERR_STORE => c"CLAZAR_ERR_STORE",
        CLAZAR_ERR_CLOSED => c"CLAZAR_ERR_CLOSED",
        CLAZAR_ERR_INTERNAL => c"CLAZAR_ERR_INTERNAL",
        _ => c"unknown status",
    }
}
