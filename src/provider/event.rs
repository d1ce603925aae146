//! What a provider tells about itself: to the `log` crate, and to the one that a binding appoints.

use std::sync::Arc;

use crate::queue::Queue;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// A new token is in use.
    Refreshed,
    /// An exchange failed.
    RefreshFailed,
    /// A token whose renewal failed or is late was handed out, for the first time.
    StaleServed,
    /// The store cannot be used, or what it holds cannot.
    StoreTrouble,
    /// The client secret was refused, and its fallback works.
    FallbackUsed,
    /// A part of what is to be trusted was passed over, or could not be read.
    TrustWarning,
}

impl EventKind {
    pub(crate) fn level(self) -> log::Level {
        if self == Self::Refreshed { log::Level::Info } else { log::Level::Warn }
    }
}

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
}

/// Takes events.
#[derive(Clone)]
pub(crate) enum Listener {
    /// Called on a thread of the library or on a caller's. No lock is held and nobody waits meanwhile, so
    /// it may block, and use the provider.
    Callback(Arc<dyn Fn(&Event) + Send + Sync>),
    /// Left there before those that waited return, for the program to take.
    Queue(Queue<Event>),
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}
