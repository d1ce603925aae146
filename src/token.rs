//! The access token: its text, and how long it lives.

use std::fmt;
use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::sys::clock::Moment;

const SCHEME: &str = "Bearer ";

/// The most characters that a token may have; real ones have about a thousand.
pub(crate) const LONGEST_VALUE: usize = 8_000;

/// An access token of the Clazar API: immutable, thread-safe, wiped from memory on drop.
///
/// `Debug` prints no part of the token.
pub struct AccessToken {
    /// `Bearer <token>` and a NUL, so that each language gets its text without a copy.
    text: Zeroizing<String>,
    sent: Moment,
    lifetime: Duration,
}

impl AccessToken {
    /// `lifetime` counts from `sent`, the moment at which the request was sent.
    pub(crate) fn new(value: &str, sent: Moment, lifetime: Duration) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(SCHEME.len() + value.len() + 1));
        text.push_str(SCHEME);
        text.push_str(value);
        text.push('\0');
        Self { text, sent, lifetime }
    }

    /// The token itself.
    pub fn value(&self) -> &str {
        &self.authorization()[SCHEME.len()..]
    }

    /// The value of the `Authorization` header, `Bearer <token>` (RFC 6750 section 2.1).
    pub fn authorization(&self) -> &str {
        &self.text[..self.text.len() - 1]
    }

    /// [`authorization`](Self::authorization) and the NUL that ends it in C.
    #[cfg(feature = "capi")]
    pub(crate) fn authorization_with_nul(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// [`value`](Self::value) and the NUL that ends it in C.
    #[cfg(feature = "capi")]
    pub(crate) fn value_with_nul(&self) -> &[u8] {
        &self.text.as_bytes()[SCHEME.len()..]
    }

    /// Always `Bearer` (RFC 6750).
    pub fn token_type(&self) -> &'static str {
        SCHEME.trim_end()
    }

    /// When the token dies, by this machine's wall clock at the time of the exchange.
    pub fn expires_at(&self) -> SystemTime {
        self.sent.wall() + self.lifetime
    }

    /// How long the token still lives; zero once it is dead.
    ///
    /// Time that the machine was suspended counts, and so does a wall clock set forward.
    pub fn expires_in(&self) -> Duration {
        self.lifetime.saturating_sub(self.age(Moment::now()))
    }

    /// Whether the token is dead.
    pub fn is_expired(&self) -> bool {
        self.expires_in().is_zero()
    }

    /// Eight hexadecimal digits that tell tokens apart and tell nothing of them.
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, self.value().as_bytes());
        hash.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn age(&self, now: Moment) -> Duration {
        now.since(self.sent)
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("value", &format_args!("[redacted]"))
            .field("expires_in", &self.expires_in())
            .finish()
    }
}
