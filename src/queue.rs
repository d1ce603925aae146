//! What one thread leaves for another to take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

/// With nobody there to take them, older items make room for newer ones.
const CAPACITY: usize = 100;

/// Atomics and no lock, since a fork may come at any time. Clones share the items.
pub(crate) struct Queue<T>(Arc<Inner<T>>);

struct Inner<T> {
    items: ArcSwapOption<Vec<T>>,
    /// What can be looked at often.
    any: AtomicBool,
}

impl<T: Clone> Queue<T> {
    pub(crate) fn push(&self, item: &T) {
        self.0.items.rcu(|items| {
            let mut items = items.as_deref().cloned().unwrap_or_default();
            if items.len() == CAPACITY {
                items.remove(0);
            }
            items.push(item.clone());
            Some(Arc::new(items))
        });
        self.0.any.store(true, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        !self.0.any.load(Ordering::Relaxed)
    }

    /// Takes all items, the oldest first.
    pub(crate) fn take(&self) -> Arc<Vec<T>> {
        self.0.any.swap(false, Ordering::AcqRel);
        self.0.items.swap(None).unwrap_or_default()
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let inner = Inner { items: ArcSwapOption::empty(), any: AtomicBool::new(false) };
        Self(Arc::new(inner))
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
