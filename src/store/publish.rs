//! Makes a token request, and leaves in a store what it brings.

use std::sync::Arc;
use std::time::Duration;

use super::StoreError;
use super::access::{Access, Sealed};
use super::backoff_record::{self, BackoffRecord};
use super::record::Record;
use super::session::{Item, StoredItem, View};
use super::stamp::Stamp;
use crate::error::{Error, ErrorKind};
use crate::interface::EventKind;
use crate::request::{Note, TokenSource};
use crate::token::AccessToken;

/// How often something is stored again that others changed meanwhile.
const MOST_TRIES: u32 = 3;
/// For how long a back-off is kept: it tells the next one how many there were.
const BACKOFF_LIFE: Duration = Duration::from_secs(3600);

impl Access<'_> {
    /// Makes the token request, hands out what it brings, and stores it for the others.
    pub(super) fn request(&mut self, inner: &dyn TokenSource) -> Result<Arc<AccessToken>, Error> {
        if let Some(token) = &self.expiring {
            self.context.end_within(token.left(self.sealer.now()) / 2);
        }
        let outcome = inner.fetch(self.context);
        let answer = self.or_expiring(&outcome);
        self.context.deliver(&answer);
        match &outcome {
            Ok(token) => self.publish_token(token),
            Err(error) if backoff_record::is_from_the_api(error) => self.publish_backoff(error),
            Err(_) => {}
        }
        answer
    }

    /// A token in its last part is better than none.
    fn or_expiring(
        &mut self,
        outcome: &Result<Arc<AccessToken>, Error>,
    ) -> Result<Arc<AccessToken>, Error> {
        let now = self.sealer.now();
        let expiring = self.expiring.take().filter(|token| !token.left(now).is_zero());
        match (outcome, expiring) {
            (Err(error), Some(token)) if error.kind() != ErrorKind::Closed => {
                let note = Note::new(EventKind::RefreshFailed, format!("no new token: {error}"));
                // The next request does not wait for what the server asked for, since this token is expiring.
                self.context.report(note.with_error(error.clone().with_requested_wait(None)));
                Ok(Arc::new(token))
            }
            _ => outcome.clone(),
        }
    }

    /// Stores a token, unless there is a newer one, or this one was refused meanwhile.
    fn publish_token(&mut self, token: &AccessToken) {
        let sealed = self.sealed();
        let mut first = None;
        for _ in 0..MOST_TRIES {
            let view = self.look(&sealed.name);
            let blob = first.or_else(|| self.blob(token, &sealed, view.as_ref()));
            let Some(blob) = blob else { return };
            if self.try_to_publish(token, &blob, &sealed, view.as_ref()) != Some(false) {
                return;
            }
            // Once dated, it stays the same: what others leave of it, if it is refused, has that date.
            first = self.store_time().map(|_| blob);
        }
        let what = "was changed by others each time that a token was to be stored";
        let _ = self.reported(Err::<(), _>(self.backend.error(&sealed.name, what)));
    }

    fn blob(
        &mut self,
        token: &AccessToken,
        sealed: &Sealed,
        view: Option<&View>,
    ) -> Option<Vec<u8>> {
        let now = self.store_time().or_else(|| view.map(|view| view.now.clone()));
        let blob = self.sealer.seal_for(token, &sealed.secret, now);
        self.reported(blob.map_err(StoreError::from))
    }

    /// Whether that was done, or is needless; `None` if it cannot be.
    fn try_to_publish(
        &mut self,
        token: &AccessToken,
        blob: &[u8],
        sealed: &Sealed,
        view: Option<&View>,
    ) -> Option<bool> {
        let stored = view.and_then(|view| view.token.as_ref());
        if let Some((view, stored)) = view.zip(stored)
            && self.is_newer(&stored.blob, blob, sealed, &view.now)
        {
            return Some(true);
        }
        // What cannot be looked at, such as a link, may be written over.
        let old = stored.map(|stored| &*stored.blob);
        let (name, left) = (&sealed.name, token.left(self.sealer.now()));
        let is_stored =
            self.with(|session| session.replace(name, Item::Token, old, Some(blob), left))?;
        let backoff = view?.backoff.as_ref().filter(|_| is_stored);
        if let Some(StoredItem { blob, .. }) = backoff {
            self.with(|session| {
                session.replace(name, Item::Backoff, Some(blob), None, Duration::ZERO)
            });
        }
        Some(is_stored)
    }

    /// Whether a stored token was not requested before ours; what does not open, or is from the future, was.
    fn is_newer(&self, stored: &[u8], ours: &[u8], sealed: &Sealed, now: &Stamp) -> bool {
        let sent = |blob| {
            let text = self.sealer.open_text(Item::Token, blob, &sealed.secret)?;
            Record::read(&text)?.stamp(now).cloned()
        };
        let (theirs, ours) = (sent(stored), sent(ours));
        theirs.zip(ours).is_some_and(|(theirs, ours)| {
            now.since(&theirs).is_some() && theirs.since(&ours).is_some()
        })
    }

    fn publish_backoff(&mut self, error: &Error) {
        let sealed = self.sealed();
        let Some(view) = self.look(&sealed.name) else { return };
        let old = view.backoff.as_ref().map(|stored| &*stored.blob);
        let sealer = self.sealer;
        let last = old.and_then(|blob| sealer.open_text(Item::Backoff, blob, &sealed.secret));
        let last = last.as_deref().and_then(|text| BackoffRecord::read(text));
        let record = BackoffRecord::after(error, last.as_ref(), view.now.clone(), sealer.now());
        let blob = sealer.seal_text(Item::Backoff, &record.write(), &sealed.secret);
        if let Some(blob) = self.reported(blob.map_err(StoreError::from)) {
            // What another stored meanwhile is as good.
            self.with(|session| {
                session.replace(&sealed.name, Item::Backoff, old, Some(&blob), BACKOFF_LIFE)
            });
        }
    }

    /// The secret in use, with which the last request was made.
    fn sealed(&self) -> Sealed {
        let secret = self.context.credentials.client_secret();
        let name = self.sealer.name(&secret);
        Sealed { secret, name }
    }
}
