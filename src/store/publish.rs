//! Makes a token request, and leaves in a store what it brings.

use std::sync::Arc;
use std::time::Duration;

use super::StoreError;
use super::access::{Access, Sealed};
use super::backoff_record::{self, BACKOFF_LIFE, BackoffRecord};
use super::record::Record;
use super::seen::Seen;
use super::session::{Item, MOST_TRIES, StoredItem, View};
use super::stamp::Stamp;
use crate::error::{Error, ErrorKind};
use crate::interface::EventKind;
use crate::request::{Fetched, Note, TokenSource};
use crate::token::AccessToken;

impl Access<'_> {
    /// Makes the token request, hands out what it brings, and stores it for the others. `None` if the API has refused
    /// the secret, and there is another one to go on with.
    pub(super) fn request(&mut self, inner: &dyn TokenSource) -> Option<Fetched> {
        if let Some(token) = &self.expiring {
            self.context.end_within(token.left(self.sealer.now()) / 2);
        }
        let (before, tried) = (self.seen.clone(), self.sealed());
        let outcome = inner.fetch(self.context);
        if self.context.secret() != tried.secret {
            self.context.progress.uses_store(true);
            self.tell_of_refusal(&tried);
            self.refused = outcome.err();
            return None;
        }
        let answer = self.or_expiring(&outcome);
        self.context.deliver(&answer);
        match &outcome {
            Ok(token) => {
                self.publish_token(token, &before);
                self.tell_again(token.left(self.sealer.now()));
            }
            Err(error) => self.publish_backoff(error),
        }
        Some(answer)
    }

    /// A token in its last part is better than none.
    fn or_expiring(&mut self, outcome: &Fetched) -> Fetched {
        match (outcome, self.take_expiring()) {
            (Err(error), Some(token)) if error.kind() != ErrorKind::Closed => {
                // The next request does not wait for what the server asked for, since this token is expiring.
                self.note_failure(&error.clone().with_requested_wait(None));
                Ok(Arc::new(token))
            }
            _ => outcome.clone(),
        }
    }

    /// Tells of a request that brought nothing, while the callers get what is stored.
    pub(super) fn note_failure(&self, error: &Error) {
        let note = Note::new(EventKind::RefreshFailed, format!("no new token: {error}"));
        let note = note.with_error(error.clone());
        self.context.report(note.with_request(self.context.progress.timing()));
        self.context.progress.finds();
    }

    /// Stores a token, unless there is a newer one, or this one was refused meanwhile. `before` is what was seen before
    /// it was requested.
    fn publish_token(&mut self, token: &AccessToken, before: &Seen) {
        let sealed = self.sealed();
        let mut dated = None;
        for _ in 0..MOST_TRIES {
            if self.context.has_refused(token) {
                return;
            }
            let view = self.look(&sealed.name);
            // That of before, so that one who was stopped after it takes its token for no newer than it is.
            let time = before.time.as_ref().or(self.seen.time.as_ref());
            let time = time.map(|time| time.at(self.now()));
            let is_dated = time.is_some();
            let Some(blob) = dated.or_else(|| self.blob(token, &sealed, time)) else { return };
            let Some(view) = view else {
                // What cannot be looked at, such as a link, may be written over.
                self.put(token, &blob, &sealed, None);
                return;
            };
            if self.has_newer(&view, &blob, &sealed, before) {
                return;
            }
            match self.put(token, &blob, &sealed, view.token.as_ref()) {
                Some(true) => return self.end_backoff(&view, &sealed),
                Some(false) => {}
                None => return,
            }
            // Once dated, it stays the same: what others leave of it, if it is refused, has that date.
            dated = is_dated.then_some(blob);
        }
        let what = "was changed by others each time that a token was to be stored";
        let _ = self.reported(Err::<(), _>(self.backend.error(&sealed.name, what)));
    }

    fn blob(
        &mut self,
        token: &AccessToken,
        sealed: &Sealed,
        time: Option<Stamp>,
    ) -> Option<Vec<u8>> {
        let blob = self.sealer.seal_for(token, &sealed.secret, time);
        self.reported(blob.map_err(StoreError::from))
    }

    /// Puts a token in place of `old`. Whether that was done; `None` if it cannot be.
    fn put(
        &mut self,
        token: &AccessToken,
        blob: &[u8],
        sealed: &Sealed,
        old: Option<&StoredItem>,
    ) -> Option<bool> {
        let (old, left) = (old.map(|stored| &*stored.blob), token.left(self.sealer.now()));
        self.with(|session| session.replace(&sealed.name, Item::Token, old, Some(blob), left))
    }

    /// There is a token: the API is spared no longer.
    fn end_backoff(&mut self, view: &View, sealed: &Sealed) {
        if let Some(StoredItem { blob, .. }) = &view.backoff {
            self.with(|session| {
                session.replace(&sealed.name, Item::Backoff, Some(blob), None, Duration::ZERO)
            });
        }
    }

    /// Whether a stored token was requested after ours. That which was there before was not, whatever clocks say;
    /// nor was what does not open, or is from the future.
    fn has_newer(&self, view: &View, ours: &[u8], sealed: &Sealed, before: &Seen) -> bool {
        let now = &view.now;
        let sent = |blob: &[u8]| {
            let text = self.sealer.open_text(Item::Token, blob, &sealed.secret)?;
            Record::read(&text)?.stamp(now).cloned()
        };
        let stored = view.token.as_ref();
        let (theirs, ours) = (stored.and_then(|stored| sent(&stored.blob)), sent(ours));
        let was_there = theirs.is_some() && theirs == before.token(&sealed.name).and_then(sent);
        theirs.zip(ours).is_some_and(|(theirs, ours)| {
            !was_there && now.since(&theirs).is_some() && theirs.since(&ours).is_some()
        })
    }

    fn publish_backoff(&mut self, error: &Error) {
        if !backoff_record::is_from_the_api(error) {
            return;
        }
        let sealed = self.sealed();
        let Some(view) = self.look(&sealed.name) else { return };
        let old = view.backoff.as_ref();
        let open = |stored: &StoredItem| {
            self.sealer.open_text(Item::Backoff, &stored.blob, &sealed.secret)
        };
        let last = old.and_then(open);
        let last = last.as_deref().and_then(|text| BackoffRecord::read(text));
        let record = BackoffRecord::after(error, last.as_ref(), self.time_of(&view));
        self.put_backoff(&view, &sealed, &record.write(), BACKOFF_LIFE);
    }

    /// Not later than the store's clock shows: what is dated by this is to last no longer than it says.
    pub(super) fn time_of(&self, view: &View) -> Stamp {
        self.seen.time.as_ref().map_or(view.now.clone(), |time| time.at(self.now()))
    }
}
