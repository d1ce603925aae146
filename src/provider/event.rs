//! Tells what a provider does: to the `log` crate, and to the listener of a binding.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
pub(crate) use crate::interface::EventKind;
use crate::interface::{Cause, Level};
use crate::queue::Queue;
use crate::request::Timing;

/// An event: what was noted down, and how the provider was when it could be told.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) client_id: Arc<str>,
    /// Without query and fragment.
    pub(crate) auth_url: String,
    pub(crate) kind: EventKind,
    /// A sentence that names no secret and of a token its fingerprint at most.
    pub(crate) message: String,
    /// Why the token request was made that this is about.
    pub(crate) cause: Cause,
    /// What failed, if anything did; its `retry_after` is the time until the next token request.
    pub(crate) error: Option<Error>,
    /// How long the token in use remains valid; `None` without one.
    pub(crate) expires_in: Option<Duration>,
    /// The token request whose outcome this is, if it is one's.
    pub(crate) request: Option<Timing>,
}

impl Event {
    pub(crate) fn level(&self) -> Level {
        self.kind.row().level
    }

    pub(super) fn log_level(&self) -> log::Level {
        match self.level() {
            Level::Warn => log::Level::Warn,
            Level::Info => log::Level::Info,
        }
    }
}

/// Takes events.
#[derive(Clone)]
pub(crate) enum Listener {
    /// Called on a thread of the library. No lock is held and nobody waits meanwhile, so it may block, and
    /// use the provider.
    Callback(Arc<dyn Fn(&Event) + Send + Sync>),
    /// Left there before those that waited return, for the program to take.
    Queue(Queue<Event>),
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}
