//! Holds an access token: its text, and how long it is valid.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, digest};

use crate::error::Error;
use crate::sys::clock::Moment;
use crate::sys::locked::LockedText;
use crate::sys::wipe;
use crate::text::hex;

const SCHEME: &str = "Bearer ";

/// The most characters that a token may have; real ones have about a thousand.
pub(crate) const LONGEST_VALUE: usize = 8_000;

/// Between two requests because the API refused a token.
pub(crate) const BETWEEN_REPLACEMENTS: Duration = Duration::from_secs(30);
/// However long a server says.
pub(crate) const LONGEST_LIFETIME: Duration = Duration::from_secs(86_400);

/// How long the last part of a token's life is.
pub(crate) fn margin(lifetime: Duration) -> Duration {
    Duration::from_secs(30).min(lifetime / 20)
}

/// Whether a text can be a bearer token: RFC 6750 section 2.1,
/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
pub(crate) fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |b| matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'+' | b'-'..=b'9' | b'_' | b'~');
    text.len() <= LONGEST_VALUE && !body.is_empty() && body.bytes().all(allowed)
}

/// An access token of the Clazar API: immutable, thread-safe, wiped from memory on drop.
///
/// `Debug` prints no part of the token.
pub struct AccessToken {
    /// `Bearer <token>` and a NUL, so that each language gets its text without a copy.
    text: LockedText,
    /// When the token was so old.
    seen: (Moment, Duration),
    lifetime: Duration,
    /// Whether it was requested in place of one that the API had refused.
    is_replacement: bool,
}

impl AccessToken {
    /// `lifetime` counts from `sent`, the moment at which the request was sent.
    pub(crate) fn new(value: &str, sent: Moment, lifetime: Duration) -> Self {
        Self::aged(value, sent, Duration::ZERO, lifetime)
    }

    /// A token that did not come from the API, and lives as long as any.
    pub(crate) fn given(value: &str, now: Moment) -> Result<Self, Error> {
        if !is_token(value) {
            return Err(Error::invalid(
                "the token must be 1 to 8,000 characters of RFC 6750's b64token; give another",
            ));
        }
        Ok(Self::new(value, now, LONGEST_LIFETIME))
    }

    /// A token that is so old `now`.
    pub(crate) fn aged(value: &str, now: Moment, age: Duration, lifetime: Duration) -> Self {
        let text = LockedText::concat(&[SCHEME, value, "\0"]);
        Self { text, seen: (now, age), lifetime, is_replacement: false }
    }

    /// The same token, which lives no longer than `left` from now on.
    pub(crate) fn shortened(mut self, left: Duration, now: Moment) -> Self {
        self.lifetime = self.lifetime.min(self.age(now) + left);
        self
    }

    pub(crate) fn replacing(self) -> Self {
        Self { is_replacement: true, ..self }
    }

    pub(crate) fn is_replacement(&self) -> bool {
        self.is_replacement
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
    pub(crate) fn authorization_with_nul(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// [`value`](Self::value) and the NUL that ends it in C.
    pub(crate) fn value_with_nul(&self) -> &[u8] {
        &self.text.as_bytes()[SCHEME.len()..]
    }

    /// Always `Bearer` (RFC 6750).
    pub fn token_type(&self) -> &'static str {
        SCHEME.trim_end()
    }

    /// When the token expires, by this machine's wall clock at the time of the token request.
    pub fn expires_at(&self) -> SystemTime {
        let (seen, age) = self.seen;
        seen.wall() - age + self.lifetime
    }

    /// How long the token is still valid; zero once it has expired.
    ///
    /// Time that the machine was suspended counts, and so does a wall clock set forward.
    pub fn expires_in(&self) -> Duration {
        self.left(Moment::now())
    }

    /// Whether the token has expired.
    pub fn is_expired(&self) -> bool {
        self.expires_in().is_zero()
    }

    /// Eight hexadecimal digits that tell tokens apart and tell nothing of them: the first of the
    /// token's SHA-256 hash.
    pub fn fingerprint(&self) -> String {
        hex(&self.digest()[..4])
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        // The context holds the token's last bytes.
        let digest = wipe::after::<1024, _>(|| digest(&SHA256, self.value().as_bytes()));
        digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    pub(crate) fn age(&self, now: Moment) -> Duration {
        let (seen, age) = self.seen;
        now.since(seen) + age
    }

    /// When the token is so old; if it was when it came, whatever the clocks are set to since.
    pub(crate) fn when(&self, age: Duration) -> Moment {
        let (seen, age_then) = self.seen;
        let to_come = age.checked_sub(age_then).filter(|left| !left.is_zero());
        to_come.map_or(Moment::LONG_AGO, |left| seen.after(left))
    }

    /// How long the token still lives.
    pub(crate) fn left(&self, now: Moment) -> Duration {
        self.lifetime.saturating_sub(self.age(now))
    }

    /// Whether the last part of its life has begun, in which callers rather have the next one.
    pub(crate) fn is_expiring(&self, now: Moment) -> bool {
        self.left(now) <= margin(self.lifetime)
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// By the text of the token, through its hash: how long that takes tells nothing of a text but its length.
impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for AccessToken {}

impl Hash for AccessToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest().hash(state);
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
