//! Describes what went wrong, in the same kinds for all languages.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

pub use crate::interface::ErrorKind;
use crate::text::{self, printable};

/// What happened, where, and what to do next, in one sentence.
///
/// An error never carries a response body, a client secret or a token.
/// It is cheap to clone: all callers that waited for one token request share it.
#[derive(Clone)]
pub struct Error(Arc<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    message: String,
    http_status: Option<u16>,
    code: Option<Box<str>>,
    request_id: Option<Box<str>>,
    /// What the server asked for.
    requested_wait: Option<Duration>,
    /// What is left of a provider's back-off.
    backoff: Option<Duration>,
    /// How long ago the server told it to another process, if it did not tell this one.
    told: Option<Duration>,
    another_attempt: bool,
}

impl Error {
    /// What came from outside is made printable here, whoever put it into the message.
    pub(crate) fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self(Arc::new(Details {
            kind,
            message: printable(message.as_ref(), text::LONGEST),
            http_status: None,
            code: None,
            request_id: None,
            requested_wait: None,
            backoff: None,
            told: None,
            another_attempt: false,
        }))
    }

    pub(crate) fn invalid(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the provider is closed; make a new one to get a token")
    }

    pub(crate) fn no_thread(purpose: &str, error: &io::Error) -> Self {
        let why = text::system(error);
        Self::new(
            ErrorKind::Transport,
            format!("no thread could be started for {purpose} ({why}); try again"),
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            ErrorKind::Internal,
            "clazar-auth failed by a bug of its own; please report it with what led to it",
        )
    }

    pub(crate) fn out_of_memory() -> Self {
        Self::new(
            ErrorKind::Transport,
            "the system has too little memory for a token request; free some, and try again",
        )
    }

    pub(crate) fn with_http_status(mut self, status: u16) -> Self {
        Arc::make_mut(&mut self.0).http_status = Some(status);
        self
    }

    /// What the API calls the error, and its request. Both are shown, so neither may hold a secret.
    pub(crate) fn with_names(mut self, code: Option<&str>, request_id: Option<&str>) -> Self {
        let details = Arc::make_mut(&mut self.0);
        details.code = code.map(Into::into);
        details.request_id = request_id.map(Into::into);
        self
    }

    pub(crate) fn with_requested_wait(mut self, wait: Option<Duration>) -> Self {
        Arc::make_mut(&mut self.0).requested_wait = wait;
        self
    }

    /// What the server asked for.
    pub(crate) fn requested_wait(&self) -> Option<Duration> {
        self.0.requested_wait
    }

    /// Says when a provider asks again; `None` takes that back.
    pub(crate) fn with_backoff(mut self, backoff: Option<Duration>) -> Self {
        Arc::make_mut(&mut self.0).backoff = backoff;
        self
    }

    /// Says that it was found in the store, and how long ago it was put there.
    pub(crate) fn with_told(mut self, ago: Duration) -> Self {
        Arc::make_mut(&mut self.0).told = Some(ago);
        self
    }

    pub(crate) fn told(&self) -> Option<Duration> {
        self.0.told
    }

    /// With what went wrong besides.
    pub(crate) fn with_also(mut self, other: &Self) -> Self {
        let message = &mut Arc::make_mut(&mut self.0).message;
        message.push_str("; besides, ");
        message.push_str(&other.0.message);
        self
    }

    /// Says that the same token request may go better at once.
    pub(crate) fn with_another_attempt(mut self, worth: bool) -> Self {
        Arc::make_mut(&mut self.0).another_attempt = worth;
        self
    }

    pub(crate) fn is_worth_another_attempt(&self) -> bool {
        self.0.another_attempt
    }

    /// Whether a later token request may go better with nothing changed.
    pub(crate) fn is_transient(&self) -> bool {
        self.0.another_attempt || self.is_retryable()
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status code of the API's answer, if one came.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// What the API calls the error (RFC 6749 section 5.2), such as `invalid_client`, if it did.
    ///
    /// An error that another process left in the store has it in its message only.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The API's `x-request-id`, which its operators find the request by, if it sent one. As for
    /// [`code`](Self::code), an error from the store has it in its message only.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long to wait before the next call: until the provider that gives this error sends its next
    /// request. From [`authenticate`](crate::authenticate), which does not ask again, it is what the
    /// server asked for, up to 300 s: `Retry-After` of a 429 or 503 (RFC 9110 section 10.2.3), or
    /// `x-ratelimit-reset` of a 429.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.backoff.or(self.0.requested_wait)
    }

    /// Whether the same call may succeed later, with nothing changed.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match self.0.told {
            Some(ago) => write!(f, " (from the store, {} s ago)", ago.as_secs()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("http_status", &self.0.http_status)
            .field("retry_after", &self.retry_after())
            .finish()
    }
}

impl std::error::Error for Error {}

/// Runs `work`, and makes an [`ErrorKind::Internal`] of a panic.
///
/// The panic's own text is dropped: it may hold anything.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::internal()))
}
