//! Collects what there is to tell of a piece of work.

use crate::request::Note;

/// What there is to say of work besides its outcome.
#[derive(Default)]
pub(super) struct Report {
    /// Whether no request was sent, since a look found nothing.
    pub(super) skipped: bool,
    /// Whether the store does not answer.
    pub(super) store_hangs: bool,
    /// When the back-off of another process began that was found instead of a token.
    pub(super) backoff_since: Option<u64>,
    pub(super) notes: Vec<Note>,
}
