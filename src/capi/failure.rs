//! Defines what a function fails with, and the handle that describes it.

use std::ffi::CString;

use super::status::clazar_status::{self, CLAZAR_ERR_BUFFER_TOO_SMALL};
use crate::Error;

/// What a function fails with: an error of the core, or a buffer that is too small.
pub(super) struct CallError {
    pub(super) status: clazar_status,
    pub(super) error: Error,
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self { status: error.kind().into(), error }
    }
}

impl CallError {
    /// `enough` names the size that always is.
    pub(super) fn buffer_too_small(size: usize, needed: usize, enough: &str) -> Self {
        let message =
            format!("the buffer has {size} bytes and needs {needed}; {enough} is always enough");
        Self { status: CLAZAR_ERR_BUFFER_TOO_SMALL, error: Error::invalid(message) }
    }
}

/// Why a function failed. Immutable: any number of threads may read it.
pub struct clazar_error {
    pub(super) failure: CallError,
    pub(super) message: CString,
}

impl clazar_error {
    pub(super) fn boxed(failure: CallError) -> *mut Self {
        // A NUL cannot be in a message; without it C could not tell the message's end.
        let message = CString::new(failure.error.to_string()).unwrap_or_default();
        Box::into_raw(Box::new(Self { failure, message }))
    }
}
