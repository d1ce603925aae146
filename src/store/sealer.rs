//! Tokens in and out of blobs.

use super::record::Record;
use super::seal::{self, Identity, SHORTEST_SECRET};
use crate::credentials::Secret;
use crate::sys::clock::{Boot, Clock};
use crate::{AccessToken, Credentials, Error, ErrorKind};

/// Seals the tokens of one client at one URL, and opens them again.
pub(crate) struct Sealer {
    identity: Identity,
    clock: Clock,
}

impl Sealer {
    pub(crate) fn new(auth_url: &str, client_id: &str, clock: Clock) -> Self {
        Self { identity: Identity::new(auth_url, client_id), clock }
    }

    /// Under which a store keeps the blob.
    pub(super) fn name(&self) -> &str {
        self.identity.name()
    }

    pub(crate) fn seal(&self, token: &AccessToken, secret: &Secret) -> Result<Vec<u8>, Error> {
        check(secret)?;
        let boot = Boot::now();
        let record = Record::of(token, self.clock.now(), boot.as_ref()).write();
        seal::seal(&self.identity, secret, &record).ok_or_else(|| {
            Error::new(ErrorKind::Store, "a token could not be sealed, for want of random numbers")
        })
    }

    /// What a blob holds, if a secret of these opens it: a token, or `None` if that is dead.
    pub(crate) fn open(
        &self,
        blob: &[u8],
        credentials: &Credentials,
    ) -> Option<Option<AccessToken>> {
        let secrets = credentials.secrets();
        let text = secrets.iter().find_map(|secret| seal::open(&self.identity, secret, blob))?;
        let record = Record::read(&text);
        Some(record.and_then(|record| record.token(self.clock.now(), Boot::now().as_ref())))
    }
}

/// Whether a secret is long enough to seal with.
pub(super) fn check(secret: &Secret) -> Result<(), Error> {
    if secret.expose().chars().count() < SHORTEST_SECRET {
        return Err(Error::invalid(format!(
            "the client secret has fewer than {SHORTEST_SECRET} characters, too few to seal a token \
             with; keep tokens in memory alone"
        )));
    }
    Ok(())
}
