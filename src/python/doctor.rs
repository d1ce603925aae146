//! Runs the doctor for the command line.

use pyo3::prelude::*;

use pyo3::types::PyDict;

use super::attached::attached;
use super::error::run;
use super::options::Arguments;
use crate::binding::{Finding, Step, examine};

/// A step's name, its status, a sentence, and the class of the exception if it failed.
type Told = (&'static str, &'static str, String, Option<&'static str>);

/// Check step by step what stands between this machine and a token, with the options of the
/// environment and those given, and hand each step to a function.
#[pyfunction]
#[pyo3(signature = (tell, **options))]
pub(super) fn _examine<'py>(
    py: Python<'py>,
    tell: Py<PyAny>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<()> {
    let arguments = Arguments { name: "_examine", is_provider: true, keywords: options };
    let config = arguments.config(py)?;
    let tell = move |step: Step| {
        // Where Python is about to end, nobody is told.
        let _ = attached(|py| {
            if let Err(error) = tell.call1(py, (converted(step),)) {
                error.write_unraisable(py, None);
            }
        });
    };
    run(py, || {
        examine(config, tell);
        Ok(())
    })
}

fn converted(Step { name, finding }: Step) -> Told {
    match finding {
        Finding::Good(text) => (name, "ok", text, None),
        Finding::Doubtful(text) => (name, "warning", text, None),
        Finding::Failed(error) => {
            (name, "failed", error.to_string(), Some(error.kind().row().class))
        }
        Finding::Skipped(why) => (name, "skipped", why.to_owned(), None),
    }
}
