//! Holds what happened on the way to a token, until the program is told.

use std::time::{Duration, SystemTime};

use crate::error::{Error, ErrorKind};
use crate::interface::EventKind;

/// When a token request was begun, and how long it took with all its attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) began: SystemTime,
    pub(crate) took: Duration,
}

/// What happened, in a sentence that names no secret and of a token its fingerprint at most.
pub(crate) struct Note {
    pub(crate) kind: EventKind,
    pub(crate) message: String,
    /// What failed, if anything did; its `retry_after` is the time until the next token request.
    pub(crate) error: Option<Error>,
    /// The token request whose outcome this is, if it is one's.
    pub(crate) request: Option<Timing>,
}

impl Note {
    pub(crate) fn new(kind: EventKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), error: None, request: None }
    }

    /// That the store cannot be used, or what it holds.
    pub(crate) fn store_error(message: impl Into<String>) -> Self {
        let note = Self::new(EventKind::StoreError, message);
        let error = Error::new(ErrorKind::Store, &note.message);
        note.with_error(error)
    }

    pub(crate) fn with_error(self, error: Error) -> Self {
        Self { error: Some(error), ..self }
    }

    pub(crate) fn with_request(self, request: Option<Timing>) -> Self {
        Self { request, ..self }
    }
}
