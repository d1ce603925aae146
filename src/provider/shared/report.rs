//! Collects what there is to tell of a piece of work.

use crate::request::{Note, RequestedWait, Timing};

/// What there is to say of work besides its outcome.
#[derive(Default)]
pub(super) struct Report {
    /// Whether no request was sent, since a look found nothing.
    pub(super) skipped: bool,
    /// Whether the store does not answer.
    pub(super) store_hangs: bool,
    /// When the back-off of another process began that was found instead of a token.
    pub(super) backoff_since: Option<u64>,
    /// What another process was asked to wait for, and this one did not.
    pub(super) passed_over: Option<RequestedWait>,
    pub(super) notes: Vec<Note>,
}

impl Report {
    /// Notes the token request with what is told last, its outcome, unless that was told before.
    pub(super) fn note_request(&mut self, request: Option<Timing>) {
        if self.notes.iter().all(|note| note.request.is_none())
            && let Some(outcome) = self.notes.last_mut()
        {
            outcome.request = request;
        }
    }
}
