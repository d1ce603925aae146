//! Seals and opens what hosts store, for those who judge it.

use crate::error::{Error, ErrorKind};
use crate::secret::Secret;
use crate::store::Sealer;
use crate::store::backoff_record::BackoffRecord;
use crate::store::session::Item;
use crate::store::stamp::Stamp;
use crate::sys::clock::Clock;

pub(super) const URL: &str = "https://api.clazar.io/authenticate/";
pub(super) const CLIENT: &str = "not-a-real-client";
pub(super) const SECRET: &str = "not-a-real-secret-0123456789abcdef";

fn sealer() -> Sealer {
    Sealer::new(URL, CLIENT, Clock::System)
}

/// Whether this is what stays of a refused token.
pub(super) fn is_mark(item: Item, blob: &[u8]) -> bool {
    item == Item::Token && !blob.is_empty() && opened(item, blob)["token"] == ""
}

/// A back-off as a host would store it.
pub(super) fn sealed_backoff(now: Stamp) -> Vec<u8> {
    let error = Error::new(ErrorKind::Server, "a false one").with_http_status(503);
    let record = BackoffRecord::after(&error, None, now);
    sealer().seal_text(Item::Backoff, &record.write(), &Secret::new(SECRET)).unwrap()
}

/// What a sealed text says.
pub(super) fn opened(item: Item, blob: &[u8]) -> serde_json::Value {
    let sealer = sealer();
    let text = sealer.open_text(item, blob, &Secret::new(SECRET)).expect("a host has sealed it");
    serde_json::from_slice(&text).expect("it is a record")
}
