//! The attempts of one exchange: what is tried again, when, and how often.

use std::time::{Duration, Instant};

use super::client::Client;
use super::interrupt::Interrupt;
use super::limits::{LONGEST_ATTEMPT, MOST_ATTEMPTS, RenewalLimit};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::random;
use crate::sys::clock::Clock;
use crate::token::AccessToken;

/// The first pause is shorter than this, and each further one than twice the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

impl Client {
    /// One exchange, of as many attempts as it needs and as `timeout` and `limit` allow.
    pub(crate) fn exchange(
        &self,
        credentials: &Credentials,
        interrupt: &Interrupt,
        clock: &Clock,
        limit: Option<RenewalLimit>,
    ) -> Result<AccessToken, Error> {
        let started = Instant::now();
        let timeout = self.timeout();
        let whole = limit.map_or(timeout, |limit| limit.all.min(timeout));
        let mut left = limit.map_or(timeout, |limit| limit.first_attempt.min(timeout));
        let mut secret = credentials.client_secret();
        let mut refused = Vec::new();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let target = self.target(left.min(LONGEST_ATTEMPT), whole < timeout);
            let mut error =
                match self.attempt(&target, credentials.client_id(), &secret, interrupt, clock) {
                    Ok(token) => {
                        credentials.keep(&secret);
                        return Ok(token);
                    }
                    Err(error) => error,
                };
            let pause = if error.kind() == ErrorKind::Credentials {
                refused.push(secret.clone());
                match credentials.another(&refused) {
                    Ok(Some(another)) => {
                        secret = another;
                        Some(Duration::ZERO)
                    }
                    Ok(None) => None,
                    // Whether there is a new secret is not known yet.
                    Err(trouble) if trouble.is_transient() => return Err(trouble.with_also(&error)),
                    Err(trouble) => {
                        error = error.with_also(&trouble);
                        None
                    }
                }
            } else {
                pause_after(&error, attempt)
            };
            left = whole.saturating_sub(started.elapsed());
            let fits = pause.filter(|pause| attempt < MOST_ATTEMPTS && *pause < left);
            let pause = fits.ok_or(error)?;
            interrupt.pause(pause)?;
            left -= pause;
        }
    }
}

/// How long to wait before the next attempt; `None` if none would help.
fn pause_after(error: &Error, attempt: u32) -> Option<Duration> {
    let full_jitter = (FIRST_PAUSE * (1 << (attempt - 1))).mul_f64(random::fraction());
    let pause = full_jitter.max(error.requested_wait().map_or(Duration::ZERO, random::spread));
    error.is_worth_another_attempt().then_some(pause)
}
