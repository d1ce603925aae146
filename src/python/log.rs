//! Events on their way to `logging`: a library thread leaves them here, and the next Python thread that
//! calls the provider takes them along. No library thread ever calls into Python.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::provider::{Event, Listener};

/// With nobody there to take them, older events make room for newer ones.
const MOST_EVENTS: usize = 100;

/// Atomics and no lock, since a fork may come at any time.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Left>);

#[derive(Default)]
struct Left {
    events: ArcSwapOption<Vec<Event>>,
    /// What each call looks at.
    any: AtomicBool,
}

impl Log {
    pub(super) fn listener(&self) -> Listener {
        let log = self.clone();
        Listener(Arc::new(move |event| log.push(event)))
    }

    fn push(&self, event: &Event) {
        self.0.events.rcu(|events| {
            let mut events = events.as_deref().cloned().unwrap_or_default();
            if events.len() == MOST_EVENTS {
                events.remove(0);
            }
            events.push(event.clone());
            Some(Arc::new(events))
        });
        self.0.any.store(true, Ordering::Release);
    }

    /// Hands the events to `clazar_auth._log`, if the program uses `logging` at all.
    #[inline]
    pub(super) fn drain(&self, py: Python<'_>) -> PyResult<()> {
        if self.0.any.load(Ordering::Relaxed) { self.hand_over(py) } else { Ok(()) }
    }

    #[cold]
    fn hand_over(&self, py: Python<'_>) -> PyResult<()> {
        self.0.any.swap(false, Ordering::AcqRel);
        let Some(events) = self.0.events.swap(None) else { return Ok(()) };
        match emit(py, &events) {
            // What a log handler fails with is nothing to the caller; Ctrl-C and the like are.
            Err(error) if error.is_instance_of::<PyException>(py) => {
                error.write_unraisable(py, None);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

fn emit(py: Python<'_>, events: &[Event]) -> PyResult<()> {
    let modules = py.import("sys")?.getattr("modules")?;
    if !modules.contains("logging")? {
        return Ok(());
    }
    let logger = py.import("clazar_auth._log")?.getattr("logger")?;
    for event in events {
        let level = event.kind.level().as_str();
        let method = if level == "WARN" { "warning" } else { "info" };
        logger.call_method1(method, ("%s", &event.message))?;
    }
    Ok(())
}
