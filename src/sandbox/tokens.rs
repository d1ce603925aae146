//! Issues JWT-shaped tokens, signed with a key that each sandbox makes for itself.

use std::time::{Duration, SystemTime};

use crate::unix_time::since_1970;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use serde_json::Value;

/// The header of all tokens: `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

pub(super) struct Signer(hmac::Key);

impl Signer {
    pub(super) fn new() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Self(key.expect("the system has random numbers"))
    }

    pub(super) fn issue(&self, number: u64, client_id: &str, lifetime: Duration) -> String {
        let now = unix_now();
        // A part of a second counts as one, so that `expires_in` stays the shortest.
        let end = now + lifetime.as_secs_f64().ceil() as u64;
        // The claims of RFC 7519 section 4.1. The number tells tokens from before a revocation from those
        // after, and the permissions make a token about as long as a real one.
        let claims = format!(
            r#"{{"iss":"https://sandbox.invalid/","aud":"https://api.clazar.io","sub":"{client_id}@clients","iat":{now},"exp":{end},"jti":{number},"permissions":[{}]}}"#,
            permissions()
        );
        let body = format!("{HEADER}.{}", BASE64_URL_SAFE_NO_PAD.encode(claims));
        let signature = hmac::sign(&self.0, body.as_bytes());
        format!("{body}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// The number of a token that this signer issued and that is valid.
    pub(super) fn check(&self, token: &str) -> Option<u64> {
        let (body, signature) = token.rsplit_once('.')?;
        let (_, claims) = body.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.0, body.as_bytes(), &signature).ok()?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        (unix_now() < claims["exp"].as_u64()?).then(|| claims["jti"].as_u64())?
    }
}

/// As the items of a JSON array.
fn permissions() -> String {
    let subjects = ["listings", "buyers", "contracts", "private_offers", "metering"];
    let verbs = |subject| format!(r#""create:{subject}","read:{subject}","update:{subject}""#);
    subjects.map(verbs).join(",")
}

fn unix_now() -> u64 {
    since_1970(SystemTime::now()).as_secs()
}
