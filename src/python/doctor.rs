//! The doctor, for the command line.

use pyo3::prelude::*;

use super::error::{class_name, run};
use crate::binding::{Config, Finding, examine};

/// A step's name, its status, a sentence, and the class of the exception if it failed.
type Step = (&'static str, &'static str, String, Option<&'static str>);

/// Check step by step what stands between this machine and a token, with the settings of the
/// environment and, if one is given, this store.
#[pyfunction]
#[pyo3(signature = (store=None))]
pub(super) fn _examine(py: Python<'_>, store: Option<String>) -> PyResult<Vec<Step>> {
    let config = Config { store, ..Config::default() };
    let steps = run(py, || Ok(examine(config)))?;
    Ok(steps.into_iter().map(|step| converted(step.name, step.finding)).collect())
}

fn converted(name: &'static str, finding: Finding) -> Step {
    match finding {
        Finding::Good(text) => (name, "ok", text, None),
        Finding::Doubtful(text) => (name, "warning", text, None),
        Finding::Failed(error) => {
            (name, "failed", error.to_string(), Some(class_name(error.kind())))
        }
        Finding::Skipped(why) => (name, "skipped", why.to_owned(), None),
    }
}
