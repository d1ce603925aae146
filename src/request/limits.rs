//! How long a token request may take, and how large it may be.

use std::time::Duration;

/// For the whole of it, with all attempts, unless the options say otherwise.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const LONGEST_TIMEOUT: Duration = Duration::from_secs(86_400);
pub(super) const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const MOST_ATTEMPTS: u32 = 3;
/// Of the answer, as it is sent.
pub(super) const BODY_LIMIT: usize = 64 * 1024;

/// How long the renewal of a live token may take, if that is less than the timeout.
#[derive(Clone, Copy)]
pub(crate) struct RenewalLimit {
    pub(crate) first_attempt: Duration,
    /// Beyond this there is no pause and no further attempt.
    pub(crate) all: Duration,
}
