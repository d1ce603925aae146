//! Gets the client secret for a caller that sends no token request.

use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::Shared;
use super::run::spawn_for_the_program;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, catch_panic};
use crate::sync::{ignore_poison, lock};
use crate::text;

/// The call of a source of secrets that is under way: all that want the secret meanwhile wait for it.
#[derive(Default)]
pub(super) struct SecretCalls(Mutex<Option<Arc<Call>>>);

struct Call {
    began: Instant,
    thread: OnceLock<ThreadId>,
    outcome: Mutex<Option<Result<(), Error>>>,
    ended: Condvar,
}

impl Shared {
    /// The credentials, with a secret at hand.
    pub(super) fn credentials_with_secret(&self) -> Result<Arc<Credentials>, Error> {
        loop {
            if let Some(credentials) = self.credentials_within(self.http.timeout())? {
                return Ok(credentials);
            }
        }
    }

    /// The same, or None if there is no secret yet after `limit`. A function for it is called on a thread of
    /// the library, as for a token request: it may block, and the caller may be an event loop's own thread.
    pub(in crate::provider) fn credentials_within(
        &self,
        limit: Duration,
    ) -> Result<Option<Arc<Credentials>>, Error> {
        let credentials = self.credentials()?;
        if credentials.is_asked() {
            return Ok(Some(credentials));
        }
        let longest = self.http.timeout();
        let call = self.secret_calls.get(SecretCalls::default).call(&credentials)?;
        match call.wait(limit.min(longest.saturating_sub(call.began.elapsed()))) {
            Some(outcome) => outcome.map(|()| Some(credentials)),
            None if call.began.elapsed() < longest => Ok(None),
            None => Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "the function for the client secret did not return within {}; ask again",
                    text::seconds(longest)
                ),
            )),
        }
    }
}

impl SecretCalls {
    /// The call that is under way, or a new one.
    fn call(self: Arc<Self>, credentials: &Arc<Credentials>) -> Result<Arc<Call>, Error> {
        let calls = self.clone();
        let mut under_way = lock(&self.0);
        if let Some(call) = &*under_way {
            call.refuse_its_own_thread()?;
            return Ok(call.clone());
        }
        let call = Arc::new(Call {
            began: Instant::now(),
            thread: OnceLock::new(),
            outcome: Mutex::default(),
            ended: Condvar::new(),
        });
        let (theirs, credentials) = (call.clone(), credentials.clone());
        spawn_for_the_program(move || {
            let _ = theirs.thread.set(thread::current().id());
            let outcome = catch_panic(|| credentials.ask());
            *lock(&calls.0) = None;
            *lock(&theirs.outcome) = Some(outcome);
            theirs.ended.notify_all();
        })?;
        *under_way = Some(call.clone());
        Ok(call)
    }
}

impl Call {
    /// It would wait for itself.
    fn refuse_its_own_thread(&self) -> Result<(), Error> {
        if self.thread.get() != Some(&thread::current().id()) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Timeout,
            "this very thread is getting the client secret (its function asked for it); ask again when \
             it has come",
        ))
    }

    fn wait(&self, limit: Duration) -> Option<Result<(), Error>> {
        let outcome = lock(&self.outcome);
        let outcome = self.ended.wait_timeout_while(outcome, limit, |outcome| outcome.is_none());
        ignore_poison(outcome).0.clone()
    }
}
