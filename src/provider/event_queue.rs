//! Events that wait for the program to take them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use super::event::Event;

/// With nobody there to take them, older events make room for newer ones.
const CAPACITY: usize = 100;

/// Atomics and no lock, since a fork may come at any time.
#[derive(Clone, Default)]
pub(crate) struct EventQueue(Arc<Inner>);

#[derive(Default)]
struct Inner {
    events: ArcSwapOption<Vec<Event>>,
    /// What each call looks at.
    any: AtomicBool,
}

impl EventQueue {
    pub(super) fn push(&self, event: &Event) {
        self.0.events.rcu(|events| {
            let mut events = events.as_deref().cloned().unwrap_or_default();
            if events.len() == CAPACITY {
                events.remove(0);
            }
            events.push(event.clone());
            Some(Arc::new(events))
        });
        self.0.any.store(true, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        !self.0.any.load(Ordering::Relaxed)
    }

    /// Takes all events, the oldest first.
    pub(crate) fn take(&self) -> Arc<Vec<Event>> {
        self.0.any.swap(false, Ordering::AcqRel);
        self.0.events.swap(None).unwrap_or_default()
    }
}
