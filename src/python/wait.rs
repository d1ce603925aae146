//! Waits for a token until a signal, such as Ctrl-C, ends the wait.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;

use super::error::raise;
use crate::binding::{TokenPoll, catch_panic};
use crate::{AccessToken, Error};

/// How often a wait looks for a signal.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

/// The token that `ask` gives or lets wait for; other Python threads go on meanwhile.
pub(super) fn finish(
    py: Python<'_>,
    ask: impl FnOnce() -> Result<TokenPoll, Error>,
) -> PyResult<Arc<AccessToken>> {
    let outcome = match catch_panic(ask) {
        Ok(TokenPoll::Ready(token)) => Ok(token),
        Ok(TokenPoll::Pending(pending)) => loop {
            let slice = || catch_panic(|| Ok(pending.wait_for(BETWEEN_SIGNALS)));
            match py.detach(slice) {
                Ok(Some(outcome)) => break outcome,
                Ok(None) => py.check_signals()?,
                Err(error) => break Err(error),
            }
        },
        Err(error) => Err(error),
    };
    outcome.map_err(|error| raise(py, &error))
}
