//! Tells what a provider does: to the `log` crate, and to the listener of a binding.

use std::sync::Arc;

pub(crate) use crate::interface::EventKind;
use crate::queue::Queue;

/// An event, with a sentence that names no secret and of a token its fingerprint at most.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) message: String,
}

impl Event {
    pub(super) fn new(kind: EventKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn level(&self) -> log::Level {
        if self.kind.is_warning() { log::Level::Warn } else { log::Level::Info }
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
