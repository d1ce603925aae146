//! Holds a value that a forked child makes anew: the locks and the threads of its parent mean nothing there.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::fork;

/// What the first call in each process makes. It may be a `static`: there is no lock in it that a fork
/// could leave locked in the child.
pub(crate) struct PerProcess<T>(ArcSwapOption<Made<T>>);

struct Made<T> {
    generation: u64,
    value: Arc<T>,
}

impl<T> Made<T> {
    fn new(value: T) -> Self {
        Self { generation: fork::generation(), value: Arc::new(value) }
    }

    fn is_ours(&self) -> bool {
        self.generation == fork::generation()
    }
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// The value of this process, which is made by `make` if there is none yet. Of several that are made
    /// at once, one stays.
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> Arc<T> {
        fork::watch();
        let found = self.0.load_full();
        if let Some(made) = found.as_deref().filter(|made| made.is_ours()) {
            return made.value.clone();
        }
        let fresh = Arc::new(Made::new(make()));
        let before = self.0.compare_and_swap(&found, Some(fresh.clone()));
        match before.as_ref().filter(|made| made.is_ours()) {
            Some(made) => made.value.clone(),
            None => {
                // The parent's is never dropped: a fork may have come in the middle of a change to it.
                std::mem::forget(found);
                fresh.value.clone()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    static VALUE: PerProcess<u32> = PerProcess::new();

    #[test]
    fn a_process_has_one() {
        let first = VALUE.get(process::id);
        assert_eq!(*first, process::id());
        assert!(Arc::ptr_eq(&first, &VALUE.get(|| unreachable!())));
    }
}
