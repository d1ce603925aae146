//! Lets `fuzz/` call private functions; no other build has this.

use super::Sealer;
use super::session::Item;
use crate::credentials::Credentials;
use crate::sys::clock::Clock;
use crate::token::AccessToken;

const CLIENT: &str = "not-a-real-client";
const SECRET: &str = "not-a-real-secret-0123456789abcdef";

fn open_with(open: impl FnOnce(&Sealer, &Credentials) -> Option<AccessToken>) {
    let credentials = Credentials::new(CLIENT, SECRET).expect("it is valid");
    let sealer = Sealer::new("https://api.clazar.io/authenticate/", CLIENT, Clock::System);
    if let Some(token) = open(&sealer, &credentials) {
        assert!(!token.is_expired() && !token.value().is_empty());
    }
}

/// Opens a blob.
pub fn open(blob: &[u8]) {
    open_with(|sealer, credentials| sealer.open(blob, credentials));
}

/// Opens a blob that holds this text.
pub fn open_sealed(text: &[u8]) {
    open_with(|sealer, credentials| {
        let blob = sealer.seal_text(Item::Token, text, &credentials.client_secret()).ok()?;
        sealer.open(&blob, credentials)
    });
}
