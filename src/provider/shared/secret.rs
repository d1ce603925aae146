//! Gets the client secret for a caller that sends no token request.

use std::sync::{Arc, Condvar, Mutex};

use super::Shared;
use super::run::spawn_for_the_program;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::sync::{ignore_poison, lock};
use crate::text;

/// What a source of secrets has answered, if it has.
#[derive(Default)]
struct Answer {
    outcome: Mutex<Option<Result<(), Error>>>,
    came: Condvar,
}

impl Shared {
    /// The credentials, with a secret at hand. A function for it is called on a thread of the library, as for
    /// a token request: it may block, and the caller may be an event loop's own thread.
    pub(super) fn credentials_with_secret(&self) -> Result<Arc<Credentials>, Error> {
        let credentials = self.credentials()?;
        if credentials.is_asked() {
            return Ok(credentials);
        }
        let answer = Arc::<Answer>::default();
        let (asked, theirs) = (credentials.clone(), answer.clone());
        spawn_for_the_program(move || {
            *lock(&theirs.outcome) = Some(asked.ask());
            theirs.came.notify_all();
        })?;
        let limit = self.http.timeout();
        let outcome = lock(&answer.outcome);
        let outcome = answer.came.wait_timeout_while(outcome, limit, |outcome| outcome.is_none());
        match ignore_poison(outcome).0.take() {
            Some(outcome) => outcome.map(|()| credentials),
            None => Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "the function for the client secret did not return within {}; ask again",
                    text::seconds(limit)
                ),
            )),
        }
    }
}
