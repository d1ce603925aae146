//! Hands events to `logging` and to the program's callable: a library thread leaves them in a queue, and the
//! next Python thread that calls the provider takes them along. No library thread waits for Python to tell of
//! an event.

use std::cell::Cell;
use std::time::Duration;

use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use super::module::{Module, is_loaded};
use crate::Error;
use crate::binding::{Event, Level, Listener, Queue, held, since_1970};

thread_local! {
    static IS_DRAINING: Cell<bool> = const { Cell::new(false) };
}

pub(super) struct Log {
    events: Queue<Event>,
    on_event: Option<Py<PyAny>>,
}

impl Log {
    pub(super) fn new(on_event: Option<Py<PyAny>>) -> Self {
        Self { events: Queue::default(), on_event }
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        let on_event = self.on_event.as_ref().map(|callable| callable.clone_ref(py));
        Self { events: self.events.clone(), on_event }
    }

    pub(super) fn on_event(&self) -> Option<&Py<PyAny>> {
        self.on_event.as_ref()
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.on_event)
    }

    pub(super) fn listener(&self) -> Listener {
        Listener::Queue(self.events.clone())
    }

    /// Hands over the events. What a log handler or a callable that calls the provider brings about waits
    /// for the next call.
    #[inline]
    pub(super) fn drain(&self, py: Python<'_>) -> PyResult<()> {
        if self.events.is_empty() || IS_DRAINING.get() {
            return Ok(());
        }
        held(|| self.hand_over(py))
    }

    #[cold]
    fn hand_over(&self, py: Python<'_>) -> PyResult<()> {
        IS_DRAINING.set(true);
        let outcome = emit(py, self.on_event.as_ref(), &self.events.take());
        IS_DRAINING.set(false);
        excuse(py, outcome)
    }
}

/// What the callable refers to may have a `__del__` of the program's.
impl Drop for Log {
    fn drop(&mut self) {
        if let Some(on_event) = self.on_event.take() {
            held(|| drop(on_event));
        }
    }
}

fn emit(py: Python<'_>, on_event: Option<&Py<PyAny>>, events: &[Event]) -> PyResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    let logger = logger(py)?;
    for event in events {
        if let Some(logger) = &logger {
            excuse(py, log(logger, event))?;
        }
        if let Some(on_event) = on_event {
            excuse(py, call(on_event.bind(py), event))?;
        }
    }
    Ok(())
}

/// That of `clazar_auth._log`, if the program uses `logging` at all.
fn logger(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    if !is_loaded(py, "logging") {
        return Ok(None);
    }
    py.import("clazar_auth._log")?.getattr("logger").map(Some)
}

/// The record has the facts as attributes, with names that no other library's records have.
fn log(logger: &Bound<'_, PyAny>, event: &Event) -> PyResult<()> {
    let py = logger.py();
    let attributes = PyDict::new(py);
    attributes.set_item("clazar_event", event.kind.row().name)?;
    for (name, value) in facts(py, event)? {
        attributes.set_item(format!("clazar_{name}"), value)?;
    }
    let extra = [("extra", attributes)].into_py_dict(py)?;
    logger.call_method(level(event), ("%s", &event.message), Some(&extra)).map(drop)
}

fn call(on_event: &Bound<'_, PyAny>, event: &Event) -> PyResult<()> {
    let py = on_event.py();
    let fields = facts(py, event)?.into_py_dict(py)?;
    fields.set_item("kind", event.kind.row().name)?;
    fields.set_item("level", level(event))?;
    fields.set_item("message", &event.message)?;
    static EVENT: Module = Module::new("clazar_auth._event");
    let class = EVENT.get(py, "Event")?;
    on_event.call1((class.call((), Some(&fields))?,)).map(drop)
}

/// As the methods of a logger are called.
fn level(event: &Event) -> &'static str {
    match event.level() {
        Level::Warn => "warning",
        Level::Info => "info",
    }
}

/// What an event has besides its kind and its text: numbers and texts, as those want them who write it as
/// JSON.
fn facts<'py>(py: Python<'py>, event: &Event) -> PyResult<[(&'static str, Bound<'py, PyAny>); 9]> {
    let error = event.error.as_ref();
    let request = event.request.as_ref();
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64()).into_pyobject(py);
    Ok([
        ("client_id", event.client_id.into_pyobject(py)?.into_any()),
        ("auth_url", event.auth_url.as_str().into_pyobject(py)?.into_any()),
        ("cause", event.cause.row().name.into_pyobject(py)?.into_any()),
        ("error", error.map(|error| error.kind().row().class).into_pyobject(py)?.into_any()),
        ("http_status", error.and_then(Error::http_status).into_pyobject(py)?.into_any()),
        ("retry_after", seconds(error.and_then(Error::retry_after))?),
        ("expires_in", seconds(event.expires_in)?),
        ("requested_at", seconds(request.map(|request| since_1970(request.began)))?),
        ("duration", seconds(request.map(|request| request.took))?),
    ])
}

/// What a log handler or a callable fails with is nothing to the caller, or to the next event; Ctrl-C and
/// the like are.
fn excuse(py: Python<'_>, outcome: PyResult<()>) -> PyResult<()> {
    match outcome {
        Err(error) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, None);
            Ok(())
        }
        outcome => outcome,
    }
}
