//! Runs the doctor for the command line.

use pyo3::prelude::*;

use super::error::run;
use crate::binding::{Config, Finding, OptionName, OptionValue, examine};

/// A step's name, its status, a sentence, and the class of the exception if it failed.
type Step = (&'static str, &'static str, String, Option<&'static str>);

/// Check step by step what stands between this machine and a token, with the options of the
/// environment and, if one is given, this store.
#[pyfunction]
#[pyo3(signature = (store=None))]
pub(super) fn _examine(py: Python<'_>, store: Option<String>) -> PyResult<Vec<Step>> {
    let mut config = Config::default();
    if let Some(store) = store {
        config.set(OptionName::Store, OptionValue::Text(store));
    }
    let steps = run(py, || Ok(examine(config)))?;
    Ok(steps.into_iter().map(|step| converted(step.name, step.finding)).collect())
}

fn converted(name: &'static str, finding: Finding) -> Step {
    match finding {
        Finding::Good(text) => (name, "ok", text, None),
        Finding::Doubtful(text) => (name, "warning", text, None),
        Finding::Failed(error) => {
            (name, "failed", error.to_string(), Some(error.kind().row().class))
        }
        Finding::Skipped(why) => (name, "skipped", why.to_owned(), None),
    }
}
