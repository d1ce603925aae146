//! Uses a store for one token: looks there, and waits for others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::StoreError;
use super::backoff_record::BackoffRecord;
use super::sealer::{Opened, Sealer};
use super::seen::Seen;
use super::session::{Backend, Holder, Item, Session, StoredItem, Turn, View};
use crate::error::Error;
use crate::random;
use crate::request::{FetchContext, Note};
use crate::secret::Secret;
use crate::token::{AccessToken, BETWEEN_REPLACEMENTS};

/// Whose turn it is, and since when.
#[derive(Default)]
struct Others(Option<(Holder, Instant)>);

impl Others {
    fn see(&mut self, holder: Holder, now: Instant) {
        if !self.0.as_ref().is_some_and(|(known, _)| *known == holder) {
            self.0 = Some((holder, now));
        }
    }

    /// The one who has had so long.
    fn overdue(&self, patience: Duration, now: Instant) -> Option<Holder> {
        let (holder, since) = self.0.as_ref()?;
        (now - *since >= patience).then(|| holder.clone())
    }
}

/// How often those that wait look into the store: at first, and after a while.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Who waits looks again after this part of the time that it has waited.
const PART_OF_THE_WAIT: u32 = 10;

/// For how long others are waited for.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// One that makes a token request.
    pub(super) with_one: Duration,
    /// One after the other.
    pub(super) with_others: Duration,
}

/// A secret, and under which name the store has what is sealed with it.
pub(super) struct Sealed {
    pub(super) secret: Arc<Secret>,
    pub(super) name: String,
}

/// The use of a store for one token. Without a session, or with one that fails, the provider carries on
/// alone.
pub(super) struct Access<'a> {
    pub(super) backend: &'a dyn Backend,
    pub(super) sealer: &'a Sealer,
    patience: Patience,
    pub(super) context: &'a FetchContext<'a>,
    since: Instant,
    session: Option<Box<dyn Session + 'a>>,
    /// What the last looks showed.
    pub(super) seen: Seen,
    /// The secret that opened the token that was found.
    pub(super) opened_with: Option<Arc<Secret>>,
    /// Whether the secret's source may be asked again.
    pub(super) may_ask: bool,
    /// A valid token whose last part has begun.
    pub(super) expiring: Option<AccessToken>,
    /// What the API said of the last secret, if there was another one to go on with.
    pub(super) refused: Option<Error>,
    has_reported: bool,
}

impl<'a> Access<'a> {
    pub(super) fn new(
        backend: &'a dyn Backend,
        sealer: &'a Sealer,
        patience: Patience,
        context: &'a FetchContext<'a>,
    ) -> Self {
        let mut access = Self {
            backend,
            sealer,
            patience,
            context,
            since: context.clock.instant(),
            session: None,
            seen: Seen::default(),
            opened_with: None,
            may_ask: false,
            expiring: None,
            refused: None,
            has_reported: false,
        };
        access.session = access.worked(backend.open());
        access
    }

    /// Waits for the token that is wanted, or for the turn to ask for one (`None`).
    pub(super) fn wait(&mut self) -> Result<Option<AccessToken>, Error> {
        let longest = self.context.freshness.max_wait.unwrap_or(Duration::MAX);
        let longest = longest.min(self.patience.with_others);
        let mut others = Others::default();
        loop {
            if let Some(token) = self.find()? {
                return Ok(Some(token));
            }
            let from = others.overdue(self.patience.with_one, self.now());
            let name = self.sealed().name;
            let turn = self.with(|session| session.try_lock(&name, from.as_ref()));
            let Some(Turn::Theirs(holder)) = turn else {
                let found = self.find();
                if self.sealed().name == name {
                    return found;
                }
                // Its secret was refused to whoever had the turn before.
                continue;
            };
            others.see(holder, self.now());
            let waited = self.waited();
            if waited >= longest || !self.is_worth_waiting() {
                return self.find();
            }
            let pause = (waited / PART_OF_THE_WAIT).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            let pause = pause.mul_f64(random::upper_half()).min(longest - waited);
            self.context.pause(pause)?;
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.context.clock.instant()
    }

    /// How long all has taken so far.
    fn waited(&self) -> Duration {
        self.now() - self.since
    }

    /// Whether more is to be had by waiting than what is left of a token in its last part.
    fn is_worth_waiting(&self) -> bool {
        let now = self.sealer.now();
        self.expiring.as_ref().is_none_or(|token| self.waited() < token.left(now))
    }

    /// The stored token if it will do; an error while the API is to be spared.
    pub(super) fn find(&mut self) -> Result<Option<AccessToken>, Error> {
        loop {
            if let Some(found) = self.find_with(self.context.believed()) {
                return found;
            }
        }
    }

    /// `None` if one of these secrets turns out to be refused: then others are believed.
    fn find_with(
        &mut self,
        secrets: Vec<Arc<Secret>>,
    ) -> Option<Result<Option<AccessToken>, Error>> {
        let mut spared = None;
        for (at, secret) in secrets.into_iter().enumerate() {
            let sealed = self.sealed_with(secret);
            let Some(view) = self.look(&sealed.name) else { break };
            if at == 0 {
                // What an earlier look showed may have been refused since.
                self.expiring = None;
                self.context.pass_over(None);
            }
            if self.is_passed_over(&view, &sealed) {
                return None;
            }
            if let Some(token) = self.usable(&view, &sealed) {
                self.opened_with = Some(sealed.secret);
                return Some(Ok(Some(token)));
            }
            spared = spared.or_else(|| self.backoff(&view, &sealed));
        }
        Some(match spared {
            Some(error) => self.take_expiring().map(Some).ok_or(error),
            None => Ok(None),
        })
    }

    /// The token in its last part, if it has not expired meanwhile.
    pub(super) fn take_expiring(&mut self) -> Option<AccessToken> {
        let now = self.sealer.now();
        self.expiring.take().filter(|token| !token.left(now).is_zero())
    }

    /// What is stored, as of now: the answer may have been under way for a while.
    pub(super) fn look(&mut self, name: &str) -> Option<View> {
        let asked = self.now();
        let view = self.with(|session| session.look(name))?;
        let answered = self.now();
        let took = answered - asked;
        // Rather too early: what is dated by this is then rather too old.
        self.seen.note(name, &view, answered);
        let aged = |item: Option<StoredItem>| {
            item.map(|item| StoredItem {
                left: item.left.map(|left| left.saturating_sub(took)),
                ..item
            })
        };
        let (token, backoff) = (aged(view.token), aged(view.backoff));
        Some(View { now: view.now.after(took), token, backoff })
    }

    /// The stored token if it will do. One that can be of use to nobody is erased.
    fn usable(&mut self, view: &View, sealed: &Sealed) -> Option<AccessToken> {
        let stored = view.token.as_ref()?;
        let (sealer, freshness) = (self.sealer, &self.context.freshness);
        let now = sealer.now();
        let token = match sealer.open_from(&stored.blob, &sealed.secret, Some(&view.now)) {
            Opened::Token(token) => match stored.left {
                Some(left) => token.shortened(left, now),
                None => token,
            },
            Opened::Refused => {
                self.context.note_replacement();
                return None;
            }
            Opened::Expired => {
                // To a host that was stopped while it asked, it is later than it was to the store.
                let answered = self.seen.time.as_ref().map(|time| &time.stamp);
                let opened = sealer.open_from(&stored.blob, &sealed.secret, answered);
                if matches!(opened, Opened::Expired) {
                    self.replace(sealed, stored, None, Duration::ZERO);
                }
                return None;
            }
            Opened::Unreadable => {
                let what =
                    "holds nothing that this client's secret opens; the next token replaces it";
                let _ = self.reported(Err::<(), _>(self.backend.error(&sealed.name, what)));
                return None;
            }
        };
        if token.is_replacement() && token.age(now) < BETWEEN_REPLACEMENTS {
            // What comes next is not to be refused at once either.
            self.context.note_replacement();
        }
        let hash = token.digest();
        if freshness.refused.contains(&token) {
            let blob = sealer.refused(&stored.blob, &sealed.secret);
            self.replace(sealed, stored, blob.as_deref(), token.left(now));
            return None;
        }
        let waited = self.waited();
        let is_young = freshness.younger_than.is_none_or(|limit| token.age(now) < limit + waited);
        if !is_young || freshness.held == Some(hash) || token.left(now).is_zero() {
            return None;
        }
        if token.is_expiring(now) {
            self.expiring = Some(token);
            return None;
        }
        Some(token)
    }

    /// Puts something else in place of a token, if that is still there.
    fn replace(
        &mut self,
        sealed: &Sealed,
        stored: &StoredItem,
        new: Option<&[u8]>,
        life: Duration,
    ) {
        let old = Some(&*stored.blob);
        self.with(|session| session.replace(&sealed.name, Item::Token, old, new, life));
    }

    fn backoff(&self, view: &View, sealed: &Sealed) -> Option<Error> {
        let text =
            self.sealer.open_text(Item::Backoff, &view.backoff.as_ref()?.blob, &sealed.secret)?;
        let record = BackoffRecord::read(&text)?;
        let (freshness, now) = (&self.context.freshness, self.sealer.now());
        let known = self.context.passed_over();
        let wait = record.passed_over(freshness, &view.now, now);
        self.context.pass_over(known.into_iter().chain(wait).max_by_key(|wait| wait.left(now)));
        let error = record.error(freshness, &view.now, now)?;
        self.context.note_backoff(record.since());
        Some(error)
    }

    /// The secret with which the next request is made, or the last one was.
    pub(super) fn sealed(&self) -> Sealed {
        self.sealed_with(self.context.secret())
    }

    pub(super) fn sealed_with(&self, secret: Arc<Secret>) -> Sealed {
        let name = self.sealer.name(&secret);
        Sealed { secret, name }
    }

    pub(super) fn with<T>(
        &mut self,
        act: impl FnOnce(&mut dyn Session) -> Result<T, StoreError>,
    ) -> Option<T> {
        let result = act(&mut **self.session.as_mut()?);
        self.worked(result)
    }

    /// What the store did; if that failed, it is not looked at again soon.
    fn worked<T>(&mut self, result: Result<T, StoreError>) -> Option<T> {
        self.context.progress.store_failed(result.is_err());
        self.reported(result)
    }

    /// Tells of the first error; with it the store is a miss, and no more.
    pub(super) fn reported<T>(&mut self, result: Result<T, StoreError>) -> Option<T> {
        let report = |error: StoreError| {
            if !std::mem::replace(&mut self.has_reported, true) {
                self.context.report(Note::store_error(error.to_string()));
            }
        };
        result.map_err(report).ok()
    }
}
