//! Lets `fuzz/` call private functions: what opens and reads that which a store holds.

use std::time::Duration;

use super::Sealer;
use super::backoff_record::BackoffRecord;
pub use super::redis::fuzzing as redis;
use super::seal::{self, HEADER, Identity};
use super::session::Item;
use super::stamp::Stamp;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::request::Freshness;
use crate::sys::clock::{Clock, Moment};
use crate::token::AccessToken;

fn sealer(auth_url: &str, credentials: &Credentials) -> Sealer {
    Sealer::new(auth_url, credentials.client_id(), Clock::System)
}

/// Seals a text as a token's.
pub fn seal(auth_url: &str, credentials: &Credentials, text: &[u8]) -> Vec<u8> {
    let sealer = sealer(auth_url, credentials);
    sealer.seal_text(Item::Token, text, &credentials.client_secret()).expect("it can be sealed")
}

/// Opens a blob with a token.
pub fn open(auth_url: &str, credentials: &Credentials, blob: &[u8]) -> Option<AccessToken> {
    sealer(auth_url, credentials).open(blob, credentials)
}

/// Opens a blob, and seals its text again with the same salt.
pub fn sealed_again(auth_url: &str, credentials: &Credentials, blob: &[u8]) -> Option<Vec<u8>> {
    let identity = Identity::new(auth_url, credentials.client_id());
    let secret = credentials.client_secret();
    let text = seal::open(&identity, &secret, Item::Token, blob)?;
    // The last bytes of the header.
    let salt = blob.get(..HEADER)?.last_chunk()?;
    seal::seal_with(&identity, &secret, Item::Token, &text, salt)
}

/// The error that a stored back-off tells, at `now` by the store's clock.
pub fn backoff(text: &[u8], now: Duration) -> Option<Error> {
    let record = BackoffRecord::read(text)?;
    record.error(&Freshness::default(), &Stamp::unix(now), Moment::now())
}
