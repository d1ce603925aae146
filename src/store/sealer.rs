//! Puts tokens into blobs, and takes them out.

use zeroize::Zeroizing;

use super::record::Record;
use super::seal::{self, Identity, SHORTEST_SECRET};
use super::session::Item;
use super::stamp::Stamp;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;
use crate::sys::clock::{Clock, Moment};
use crate::token::AccessToken;

/// What is in a blob.
pub(super) enum Opened {
    Token(AccessToken),
    /// What is left of a token that the API refused.
    Refused,
    /// A token that is not valid, or not yet, or none.
    Expired,
    /// No secret of these opens it.
    Unreadable,
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

    /// Under which a store keeps what is sealed with `secret`.
    pub(super) fn name(&self, secret: &Secret) -> String {
        self.identity.name(secret)
    }

    pub(crate) fn seal(&self, token: &AccessToken, secret: &Secret) -> Result<Vec<u8>, Error> {
        self.seal_for(token, secret, None)
    }

    /// Seals a token for a store; `now` is by the store's clock.
    pub(super) fn seal_for(
        &self,
        token: &AccessToken,
        secret: &Secret,
        now: Option<Stamp>,
    ) -> Result<Vec<u8>, Error> {
        let boot = Stamp::of_boot(&self.clock);
        let now = now.filter(|now| !boot.as_ref().is_some_and(|boot| boot.is_comparable(now)));
        let record = Record::of(token, self.clock.now(), boot.into_iter().chain(now));
        self.seal_text(Item::Token, &record.write(), secret)
    }

    /// The token in a blob, whichever secret of these sealed it.
    pub(crate) fn open(&self, blob: &[u8], credentials: &Credentials) -> Option<AccessToken> {
        credentials.believed(None).iter().find_map(|secret| {
            match self.open_from(blob, secret, None) {
                Opened::Token(token) => Some(token),
                Opened::Refused | Opened::Expired | Opened::Unreadable => None,
            }
        })
    }

    /// What is in a blob of a store; `now` is by the store's clock.
    pub(super) fn open_from(&self, blob: &[u8], secret: &Secret, now: Option<&Stamp>) -> Opened {
        let Some(text) = self.open_text(Item::Token, blob, secret) else {
            return Opened::Unreadable;
        };
        let Some(record) = Record::read(&text) else { return Opened::Expired };
        if record.is_refused() {
            return Opened::Refused;
        }
        let boot = Stamp::of_boot(&self.clock);
        let token = record.token(self.clock.now(), boot.as_ref(), now);
        token.map_or(Opened::Expired, Opened::Token)
    }

    /// What a store keeps in place of a token that the API refused.
    pub(super) fn refused(&self, blob: &[u8], secret: &Secret) -> Option<Vec<u8>> {
        let text = self.open_text(Item::Token, blob, secret)?;
        let text = Record::read(&text)?.refused().write();
        self.seal_text(Item::Token, &text, secret).ok()
    }

    pub(super) fn seal_text(
        &self,
        item: Item,
        text: &[u8],
        secret: &Secret,
    ) -> Result<Vec<u8>, Error> {
        check(secret)?;
        seal::seal(&self.identity, secret, item, text).ok_or_else(|| {
            Error::new(ErrorKind::Store, "nothing could be sealed, for want of random numbers")
        })
    }

    pub(super) fn open_text(
        &self,
        item: Item,
        blob: &[u8],
        secret: &Secret,
    ) -> Option<Zeroizing<Vec<u8>>> {
        seal::open(&self.identity, secret, item, blob)
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
