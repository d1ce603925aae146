//! Puts tokens into blobs, and takes them out.

use zeroize::Zeroizing;

use super::record::Record;
use super::seal::{self, Identity, SHORTEST_SECRET};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;
use crate::sys::clock::{Boot, Clock, Moment};
use crate::token::AccessToken;
use crate::unix_time::{milliseconds, since_1970};

/// What is in a blob.
pub(crate) enum Opened {
    Token(AccessToken),
    /// A token that is not valid any more, or none.
    Expired,
    /// No secret of these opens it.
    Unreadable,
}

impl Opened {
    pub(crate) fn token(self) -> Option<AccessToken> {
        match self {
            Self::Token(token) => Some(token),
            Self::Expired | Self::Unreadable => None,
        }
    }
}

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
        let boot = Boot::now();
        self.seal_text(&Record::of(token, self.clock.now(), boot.as_ref()).write(), secret)
    }

    pub(crate) fn open(&self, blob: &[u8], credentials: &Credentials) -> Opened {
        let Some(text) = self.open_text(blob, credentials) else { return Opened::Unreadable };
        let token = Record::read(&text)
            .and_then(|record| record.token(self.clock.now(), Boot::now().as_ref()));
        token.map_or(Opened::Expired, Opened::Token)
    }

    pub(super) fn seal_text(&self, text: &[u8], secret: &Secret) -> Result<Vec<u8>, Error> {
        check(secret)?;
        seal::seal(&self.identity, secret, text).ok_or_else(|| {
            Error::new(ErrorKind::Store, "nothing could be sealed, for want of random numbers")
        })
    }

    pub(super) fn open_text(
        &self,
        blob: &[u8],
        credentials: &Credentials,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let secrets = credentials.secrets();
        secrets.iter().find_map(|secret| seal::open(&self.identity, secret, blob))
    }

    /// When a token was sent for, in milliseconds since 1970.
    pub(super) fn sent(&self, token: &AccessToken) -> u64 {
        let now = self.clock.now();
        milliseconds(since_1970(now.wall()).saturating_sub(token.age(now)))
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
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
