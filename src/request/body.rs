//! Makes the body of a token request.

use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::Secret;

#[derive(Serialize)]
struct Body<'a> {
    client_id: &'a str,
    client_secret: &'a str,
}

/// `{"client_id": ..., "client_secret": ...}` as JSON.
pub(super) fn json(client_id: &str, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, Error> {
    let body = Body { client_id, client_secret: secret.expose() };
    // JSON makes at most six bytes of one; with room for all, no copy is left behind by growing.
    let longest = 6 * (body.client_id.len() + body.client_secret.len()) + 64;
    let mut bytes = Zeroizing::new(Vec::new());
    bytes.try_reserve_exact(longest).map_err(|_| Error::out_of_memory())?;
    serde_json::to_writer(&mut *bytes, &body).expect("two texts are valid JSON");
    Ok(bytes)
}
