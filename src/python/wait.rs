//! Waits for a token until a signal, such as Ctrl-C, ends the wait.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;

use super::error::{raise, run};
use super::log::Log;
use super::module::is_loaded;
use super::pending::Pending;
use crate::binding::{self, TokenPoll, catch_panic, held};
use crate::{AccessToken, Error, TokenProvider};

/// How often a wait looks for a signal.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

type Outcome = Result<Arc<AccessToken>, Error>;

/// The token that `ask` gives or lets wait for; other Python threads go on meanwhile.
pub(super) fn finish(
    py: Python<'_>,
    ask: impl FnOnce() -> Result<TokenPoll, Error>,
) -> PyResult<Arc<AccessToken>> {
    let outcome = match catch_panic(ask) {
        Ok(TokenPoll::Ready(token)) => Ok(token),
        Ok(TokenPoll::Pending(pending)) => held(|| wait(py, pending))?,
        Err(error) => Err(error),
    };
    outcome.map_err(|error| raise(py, &error))
}

/// Other greenlets go on as well, if the program has any.
fn wait(py: Python<'_>, pending: binding::Pending) -> PyResult<Outcome> {
    if !is_loaded(py, "gevent") && !is_loaded(py, "eventlet") {
        return block(py, &pending);
    }
    let pending = Bound::new(py, Pending::new(pending, Log::new(None)))?;
    py.import("clazar_auth._green")?.call_method1("wait", (&pending,))?;
    block(py, &pending.get().pending)
}

fn block(py: Python<'_>, pending: &binding::Pending) -> PyResult<Outcome> {
    loop {
        let slice = || catch_panic(|| Ok(pending.wait_for(BETWEEN_SIGNALS)));
        match py.detach(slice) {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => py.check_signals()?,
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Waits for a function that gives the client secret, if it was not called yet.
pub(super) fn wait_for_secret(py: Python<'_>, provider: &TokenProvider) -> PyResult<()> {
    while !run(py, || provider.has_secret_within(BETWEEN_SIGNALS))? {
        held(|| py.check_signals())?;
    }
    Ok(())
}
