//! Makes the token request, of up to three attempts: a client id and secret go out, a token comes back.

mod attempts;
mod body;
mod buffers;
#[cfg(fuzzing)]
pub mod fuzzing;
mod http_source;
mod interrupt;
mod lifetime;
mod limits;
mod lookup;
mod note;
mod options;
mod proxy;
mod readiness;
mod refusal;
mod refused;
mod response;
mod source;
mod tcp;
mod tls;
pub(crate) mod tls_failure;
mod transport_error;
// Only the doctor looks.
mod trace;
mod tunnel;
pub(crate) mod url;

pub(crate) use http_source::HttpSource;
pub(crate) use interrupt::Interrupt;
pub(crate) use limits::RenewalLimit;
pub(crate) use note::{Note, Timing};
pub use options::Options;
pub(crate) use refused::Refused;
pub(crate) use source::{
    Deliver, FetchContext, Fetched, Freshness, Progress, RequestedWait, TokenSource,
};
pub(crate) use trace::{Milestones, Trace};

use std::sync::Arc;

use crate::credentials::Credentials;
use crate::error::Error;
use crate::sys::clock::Clock;
use crate::sys::wipe;
use crate::token::AccessToken;

/// Requests a new access token with `credentials`, on the calling thread: one attempt, and up to two
/// more after a failure that may pass (no connection, no answer, or 408, 425, 429, 500, 502,
/// 503 or 504).
///
/// A program that needs the token more than once should use a
/// [`TokenProvider`](crate::TokenProvider), which keeps it fresh and shares it.
///
/// # Errors
/// Any [`ErrorKind`](crate::ErrorKind) but `Store` and `Closed`; `InvalidArgument` also for a proxy
/// that wants another password.
///
/// # Environment
/// Reads `HTTPS_PROXY` and `NO_PROXY` unless a proxy is given, and `SSL_CERT_FILE` and
/// `SSL_CERT_DIR`, during the call; nothing with [`Options::trust_env`] off.
pub fn authenticate(credentials: &Credentials, options: &Options) -> Result<AccessToken, Error> {
    let outcome = request_once(&HttpSource::new(options)?, credentials);
    wipe::vector_registers();
    outcome
}

/// One token request on the calling thread.
pub(crate) fn request_once(
    source: &HttpSource,
    credentials: &Credentials,
) -> Result<AccessToken, Error> {
    let (interrupt, progress) = (Interrupt::default(), Progress::default());
    let context = FetchContext::new(credentials, &Clock::System, &interrupt, &progress);
    credentials.ask()?;
    let outcome = source.fetch(&context);
    let outcome = outcome.map(|token| Arc::into_inner(token).expect("nobody else has it"));
    for note in context.take_notes() {
        log::warn!(target: "clazar_auth", "{}", note.message);
    }
    outcome
}
