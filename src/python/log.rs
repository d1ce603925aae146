//! Hands events to `logging`: a library thread leaves them in a queue, and the next Python thread
//! that calls the provider takes them along: no library thread waits for Python to tell of an event.

use std::cell::Cell;
use std::time::Duration;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use crate::Error;
use crate::binding::{Event, Level, Listener, Queue};

thread_local! {
    static IS_DRAINING: Cell<bool> = const { Cell::new(false) };
}

#[derive(Clone, Default)]
pub(super) struct Log(Queue<Event>);

impl Log {
    pub(super) fn listener(&self) -> Listener {
        Listener::Queue(self.0.clone())
    }

    /// Hands the events to `clazar_auth._log`, if the program uses `logging` at all. What a log handler
    /// that calls the provider brings about waits for the next call.
    #[inline]
    pub(super) fn drain(&self, py: Python<'_>) -> PyResult<()> {
        if self.0.is_empty() || IS_DRAINING.get() { Ok(()) } else { self.hand_over(py) }
    }

    #[cold]
    fn hand_over(&self, py: Python<'_>) -> PyResult<()> {
        IS_DRAINING.set(true);
        let outcome = emit(py, &self.0.take());
        IS_DRAINING.set(false);
        excuse(py, outcome)
    }
}

fn emit(py: Python<'_>, events: &[Event]) -> PyResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    let modules = py.import("sys")?.getattr("modules")?;
    if !modules.contains("logging")? {
        return Ok(());
    }
    let logger = py.import("clazar_auth._log")?.getattr("logger")?;
    for event in events {
        let method = match event.level() {
            Level::Warn => "warning",
            Level::Info => "info",
        };
        let extra = [("extra", attributes(py, event)?)].into_py_dict(py)?;
        let outcome = logger.call_method(method, ("%s", &event.message), Some(&extra));
        excuse(py, outcome.map(drop))?;
    }
    Ok(())
}

/// What the record has besides its text: numbers and texts, as those want them who write it as JSON, with
/// names that no other library's records have.
fn attributes<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyDict>> {
    let error = event.error.as_ref();
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64()).into_pyobject(py);
    [
        ("clazar_event", event.kind.row().name.into_pyobject(py)?.into_any()),
        ("clazar_client_id", event.client_id.into_pyobject(py)?.into_any()),
        ("clazar_cause", event.cause.row().name.into_pyobject(py)?.into_any()),
        ("clazar_error", error.map(|error| error.kind().row().class).into_pyobject(py)?.into_any()),
        ("clazar_http_status", error.and_then(Error::http_status).into_pyobject(py)?.into_any()),
        ("clazar_retry_after", seconds(error.and_then(Error::retry_after))?),
        ("clazar_expires_in", seconds(event.expires_in)?),
    ]
    .into_py_dict(py)
}

/// What a log handler fails with is nothing to the caller, or to the next event; Ctrl-C and the like are.
fn excuse(py: Python<'_>, outcome: PyResult<()>) -> PyResult<()> {
    match outcome {
        Err(error) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, None);
            Ok(())
        }
        outcome => outcome,
    }
}
