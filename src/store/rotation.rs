//! Finds out from a store which client secrets the API has refused, and tells others.

use std::time::Duration;

use zeroize::Zeroizing;

use super::StoreError;
use super::access::{Access, Sealed};
use super::backoff_record::{BACKOFF_LIFE, BackoffRecord};
use super::sealer::Opened;
use super::session::{Item, View};
use crate::token::LONGEST_LIFETIME;

impl Access<'_> {
    /// Whether the store says that a secret is refused, and there is another one to go on with.
    pub(super) fn is_passed_over(&mut self, view: &View, sealed: &Sealed) -> bool {
        if self.word_of_refusal(view, sealed).is_none() {
            return false;
        }
        let credentials = self.context.credentials;
        let before = self.context.believed();
        credentials.note_refused(&sealed.secret);
        if credentials.refused().contains(&self.context.secret()) {
            self.turn_to_another();
        }
        self.context.believed() != before
    }

    /// Goes on with a secret that is not refused, if there is one.
    fn turn_to_another(&mut self) {
        let refused = self.context.credentials.refused();
        match self.context.believed().into_iter().find(|secret| !refused.contains(secret)) {
            Some(another) => self.context.go_on_with(another),
            None => self.ask_again(),
        }
    }

    /// Asks the secret's source for another one than those that are refused, once in a token request.
    fn ask_again(&mut self) {
        if !std::mem::take(&mut self.may_ask) {
            return;
        }
        let (credentials, progress) = (self.context.credentials, self.context.progress);
        // It may hang, which is not the store's fault.
        progress.uses_store(false);
        if let Ok(Some(another)) = progress.asking(|| credentials.another(&credentials.refused())) {
            self.context.go_on_with(another);
        }
        progress.uses_store(true);
    }

    /// Goes on with the secret of a token that was found, if the API has refused the one in use.
    pub(super) fn follow_rotation(&mut self) {
        let credentials = self.context.credentials;
        if let Some(found) = self.opened_with.take()
            && credentials.refused().contains(&credentials.client_secret())
        {
            credentials.keep(&found);
        }
    }

    /// Leaves word for those that still have a secret, which the API has just refused.
    pub(super) fn tell_of_refusal(&mut self, sealed: &Sealed) {
        if let Some(view) = self.look(&sealed.name) {
            self.leave_word(&view, sealed, BACKOFF_LIFE);
        }
    }

    /// Leaves word again of each secret that is refused: it is to be there when a token of this life is renewed.
    pub(super) fn tell_again(&mut self, life: Duration) {
        for secret in self.context.credentials.refused() {
            let sealed = self.sealed_with(secret);
            let Some(view) = self.look(&sealed.name) else { return };
            let blob = view.token.as_ref().map(|stored| &stored.blob);
            let opened =
                blob.map(|blob| self.sealer.open_from(blob, &sealed.secret, Some(&view.now)));
            // A token, and no word any more: the secret works again.
            let works = matches!(opened, Some(Opened::Token(_)));
            if !works || self.word_of_refusal(&view, &sealed).is_some() {
                self.leave_word(&view, &sealed, life + BACKOFF_LIFE);
            }
        }
    }

    /// What another one left stays, since it may be a back-off for those who have no other secret.
    fn leave_word(&mut self, view: &View, sealed: &Sealed, life: Duration) {
        let word = self.word_of_refusal(view, sealed);
        let word = word.unwrap_or_else(|| BackoffRecord::notice(self.time_of(view)).write());
        self.put_backoff(view, sealed, &word, life);
    }

    /// What the store has under the name of a secret, if that says that the API has refused it.
    fn word_of_refusal(&self, view: &View, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let blob = &view.backoff.as_ref()?.blob;
        let text = self.sealer.open_text(Item::Backoff, blob, &sealed.secret)?;
        BackoffRecord::read(&text)?.is_refusal().then_some(text)
    }

    /// Stores what is told in place of what was seen, for no shorter time.
    pub(super) fn put_backoff(
        &mut self,
        view: &View,
        sealed: &Sealed,
        text: &[u8],
        life: Duration,
    ) {
        let old = view.backoff.as_ref();
        let (old, left) = (old.map(|stored| &*stored.blob), old.and_then(|stored| stored.left));
        let life = life.max(left.unwrap_or_default().min(LONGEST_LIFETIME + BACKOFF_LIFE));
        let blob = self.sealer.seal_text(Item::Backoff, text, &sealed.secret);
        if let Some(blob) = self.reported(blob.map_err(StoreError::from)) {
            // What another stored meanwhile is as good.
            self.with(|session| {
                session.replace(&sealed.name, Item::Backoff, old, Some(&blob), life)
            });
        }
    }
}
