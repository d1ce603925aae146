//! Writes and reads what a blob says of a token, and how old that is.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::stamp::{CLOCK_DIFFERENCE, Stamp};
use crate::sys::clock::Moment;
use crate::token::{AccessToken, LONGEST_LIFETIME, is_token};
use crate::unix_time::{milliseconds, since_1970};

/// What a record says besides the token itself takes no more bytes than this.
pub(crate) const AROUND_THE_TOKEN: usize = 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct Record<'a> {
    /// Empty once the API has refused it: nobody is to get it, and whose turn it is knows what for.
    #[serde(borrow)]
    token: Cow<'a, str>,
    /// In milliseconds.
    lifetime: u64,
    /// When the request was sent, by the wall clock, in milliseconds since 1970.
    sent: u64,
    /// The same by the boot of the machine and by the clock of the store, if there are such.
    stamps: Vec<Stamp>,
    /// Whether the token was requested in place of one that the API had refused.
    is_replacement: bool,
}

impl<'a> Record<'a> {
    /// `clocks` are readings of now.
    pub(super) fn of(
        token: &'a AccessToken,
        now: Moment,
        clocks: impl IntoIterator<Item = Stamp>,
    ) -> Self {
        let age = token.age(now);
        Self {
            token: token.value().into(),
            lifetime: milliseconds(token.lifetime()),
            sent: milliseconds(since_1970(now.wall()).saturating_sub(age)),
            stamps: clocks.into_iter().map(|clock| clock.before(age)).collect(),
            is_replacement: token.is_replacement(),
        }
    }

    /// The same without the token, which the API has refused.
    pub(super) fn refused(self) -> Self {
        Self { token: Cow::default(), ..self }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.token.is_empty()
    }

    pub(super) fn write(&self) -> Zeroizing<Vec<u8>> {
        // With room for all, no copy is left behind by growing; JSON escapes no character of a token.
        let mut text = Zeroizing::new(Vec::with_capacity(self.token.len() + AROUND_THE_TOKEN));
        serde_json::to_writer(&mut *text, self).expect("texts and numbers are valid JSON");
        text
    }

    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// How long ago the request was sent, by the same clock as `now`; `None` without that, or if it is to come.
    fn age_by(&self, now: &Stamp) -> Option<Duration> {
        self.stamp(now).and_then(|sent| now.since(sent))
    }

    /// The token, if it is valid.
    pub(super) fn token(
        &self,
        now: Moment,
        boot: Option<&Stamp>,
        store: Option<&Stamp>,
    ) -> Option<AccessToken> {
        let age = self.age(now, boot, store)?;
        let lifetime = Duration::from_millis(self.lifetime).min(LONGEST_LIFETIME);
        let is_usable = age < lifetime && is_token(&self.token);
        is_usable.then(|| {
            let token = AccessToken::aged(&self.token, now, age, lifetime);
            // A store that shows another time, and an old replacement, keeps nobody from making the next.
            let is_now = store.is_none_or(|store| store.agrees_with(now.wall()));
            if self.is_replacement && is_now { token.replacing() } else { token }
        })
    }

    /// By the store's clock, if it has one of its own; else by the time since the boot and by wall time,
    /// whichever is more. `None` if the request is yet to be sent.
    fn age(&self, now: Moment, boot: Option<&Stamp>, store: Option<&Stamp>) -> Option<Duration> {
        let by_boot = boot.and_then(|now| self.age_by(now));
        let own_clock = store.filter(|store| !boot.is_some_and(|boot| boot.is_comparable(store)));
        if let Some(now) = own_clock.filter(|now| self.stamp(now).is_some()) {
            return self.age_by(now).map(|age| age.max(by_boot.unwrap_or_default()));
        }
        let (wall, sent) = (since_1970(now.wall()), Duration::from_millis(self.sent));
        let is_past = by_boot.is_some() || sent <= wall + CLOCK_DIFFERENCE;
        is_past.then(|| wall.saturating_sub(sent).max(by_boot.unwrap_or_default()))
    }

    /// When the request was sent, by the same clock as another stamp.
    pub(super) fn stamp(&self, clock: &Stamp) -> Option<&Stamp> {
        self.stamps.iter().find(|stamp| stamp.is_comparable(clock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(token: &AccessToken, now: Moment, store: &Stamp) -> Vec<u8> {
        Record::of(token, now, [store.clone()]).write().to_vec()
    }

    /// A store whose clock stands still plays back a token that was got in place of a refused one.
    #[test]
    fn a_replacement_is_none_in_a_store_that_shows_another_time() {
        let now = Moment::at(0.0, 1e9);
        let store = Stamp::unix(Duration::from_secs(1_000_000_000));
        let token = AccessToken::new("not-a-real-token", now, LONGEST_LIFETIME).replacing();
        let text = record(&token, now, &store);
        let read = |wall: f64| {
            let record = Record::read(&text).unwrap();
            record.token(Moment::at(0.0, wall), None, Some(&store)).unwrap().is_replacement()
        };
        assert!(read(1e9) && read(1e9 + 59.0) && read(1e9 - 59.0));
        assert!(!read(1e9 + 61.0) && !read(1e9 - 61.0));
    }

    #[test]
    fn the_clock_of_the_store_counts_and_not_that_of_the_host() {
        let (now, store) = (Moment::at(0.0, 1e9), Stamp::new("a store", Duration::from_secs(5)));
        let token = AccessToken::new("not-a-real-token", now, Duration::from_secs(100));
        let text = record(&token, now, &store);
        let left = |wall: f64, store: &Stamp| {
            let now = Moment::at(0.0, wall);
            Record::read(&text).unwrap().token(now, None, Some(store)).map(|token| token.left(now))
        };
        for wall in [0.0, 1e9 - 86_400.0, 1e9, 1e9 + 86_400.0] {
            let later = store.after(Duration::from_secs(60));
            assert_eq!(left(wall, &later), Some(Duration::from_secs(40)), "{wall}");
            assert_eq!(left(wall, &store.after(Duration::from_secs(100))), None, "{wall}");
            assert_eq!(left(wall, &store.before(Duration::from_secs(1))), None, "yet to be sent");
        }
    }

    #[test]
    fn without_another_clock_the_hosts_count_and_may_differ_by_a_minute() {
        let now = Moment::at(0.0, 1e9);
        let token = AccessToken::new("not-a-real-token", now, Duration::from_secs(100));
        let text = Record::of(&token, now, []).write().to_vec();
        let left = |later: f64| {
            let now = Moment::at(0.0, 1e9 + later);
            let token = Record::read(&text).unwrap().token(now, None, None);
            token.map(|token| token.left(now).as_secs())
        };
        assert_eq!([left(10.0), left(0.0), left(-59.0)], [Some(90), Some(100), Some(100)]);
        assert_eq!([left(-61.0), left(101.0)], [None, None]);
    }
}
