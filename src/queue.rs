//! Keeps what one thread leaves for another to take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use crate::sys::fork;

/// With nobody there to take them, older items make room for newer ones.
const CAPACITY: usize = 100;

/// Atomics and no lock, since a fork may come at any time. Clones share the items.
pub(crate) struct Queue<T>(Arc<Inner<T>>);

struct Inner<T> {
    items: ArcSwapOption<Items<T>>,
    /// What can be looked at often.
    any: AtomicBool,
}

/// What one process has left: a forked child is not to take what its parent will take as well.
struct Items<T> {
    generation: u64,
    items: Vec<T>,
}

impl<T: Clone> Items<T> {
    fn of_this_process(items: Option<&Self>) -> Vec<T> {
        let ours = items.filter(|items| items.generation == fork::generation());
        ours.map(|ours| ours.items.clone()).unwrap_or_default()
    }
}

impl<T: Clone> Queue<T> {
    pub(crate) fn push(&self, item: &T) {
        self.0.items.rcu(|items| {
            let mut items = Items::of_this_process(items.as_deref());
            if items.len() == CAPACITY {
                items.remove(0);
            }
            items.push(item.clone());
            Some(Arc::new(Items { generation: fork::generation(), items }))
        });
        self.0.any.store(true, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        !self.0.any.load(Ordering::Relaxed)
    }

    /// Takes all items, the oldest first.
    pub(crate) fn take(&self) -> Vec<T> {
        self.0.any.swap(false, Ordering::AcqRel);
        Items::of_this_process(self.0.items.swap(None).as_deref())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_items_make_room() {
        let queue = Queue::default();
        (0..=CAPACITY).for_each(|item| queue.push(&item));
        assert_eq!(queue.take(), Vec::from_iter(1..=CAPACITY));
        assert!(queue.is_empty() && queue.take().is_empty());
    }
}
