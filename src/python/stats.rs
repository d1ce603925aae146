//! Converts statistics to the named tuples of `clazar_auth._stats`.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::module::Module;
use crate::Stats;
use crate::binding::held;

pub(super) fn python<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyAny>> {
    held(|| converted(py, stats))
}

fn converted<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyAny>> {
    static STATS: Module = Module::new("clazar_auth._stats");
    let requests = STATS.get(py, "Requests")?;
    let mut fields = Vec::new();
    for counted in stats.requests() {
        fields.push(requests.call1((counted.succeeded, counted.failed))?);
    }
    for count in stats.counts() {
        fields.push(count.into_pyobject(py)?.into_any());
    }
    for time in [stats.expires_in, stats.backoff, Some(stats.refresh_in)] {
        fields.push(time.map(|time: Duration| time.as_secs_f64()).into_pyobject(py)?);
    }
    STATS.get(py, "Stats")?.call1(PyTuple::new(py, fields)?)
}
