//! Issues JWT-shaped tokens, signed with a key that each sandbox makes for itself.

use std::time::{Duration, SystemTime};

use crate::unix_time::since_1970;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};

/// The header of all tokens: `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// The claims of a token (RFC 7519 section 4.1).
#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: u64,
    exp: u64,
    /// Counts the tokens, and tells those issued before a revocation from those after.
    jti: u64,
    /// Makes the token about as long as a real one.
    permissions: Vec<String>,
}

pub(super) struct Signer(hmac::Key);

impl Signer {
    pub(super) fn new() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Self(key.expect("the system has random numbers"))
    }

    pub(super) fn issue(&self, number: u64, client_id: &str, lifetime: Duration) -> String {
        let now = unix_now();
        let claims = Claims {
            iss: "https://sandbox.invalid/".into(),
            aud: "https://api.clazar.io".into(),
            sub: format!("{client_id}@clients"),
            iat: now,
            // A part of a second counts as one, so that `expires_in` stays the shortest.
            exp: now + lifetime.as_secs_f64().ceil() as u64,
            jti: number,
            permissions: permissions(),
        };
        let claims = serde_json::to_vec(&claims).expect("claims are valid JSON");
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
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        (unix_now() < claims.exp).then_some(claims.jti)
    }
}

fn permissions() -> Vec<String> {
    let subjects = ["listings", "buyers", "contracts", "private_offers", "metering"];
    let verbs = ["create", "read", "update"];
    let pair = |subject| verbs.map(|verb| format!("{verb}:{subject}"));
    subjects.into_iter().flat_map(pair).collect()
}

fn unix_now() -> u64 {
    since_1970(SystemTime::now()).as_secs()
}
