//! Says how the API and the ways to the store are.

use std::ops::Range;
use std::time::Duration;

use super::schedule::State;

/// How the API is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum ApiState {
    #[default]
    Well,
    /// It answers 503.
    Fails,
    /// It does not answer.
    IsSilent,
}

/// What becomes of them.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Api(ApiState),
    Store {
        is_away: bool,
    },
    /// The store loses all that it kept.
    StoreForgets,
    /// These hosts do not reach the store, and no others.
    CutOff(Range<usize>),
}

#[derive(Default)]
pub(super) struct Conditions {
    pub(super) api: ApiState,
    /// Which hosts do not reach the store.
    cut_off: Range<usize>,
    /// When the store was last away, and some hosts were last cut off.
    away: Duration,
    /// Which minute it is, and how many requests there were in it.
    minute: (u64, u32),
}

const MINUTE: u64 = 60;

impl State {
    pub(super) fn apply(&mut self, change: Change) {
        self.tell(|| format!("{change:?}"));
        match change {
            Change::Api(api) => self.conditions.api = api,
            Change::Store { is_away } => {
                (self.store.is_away, self.conditions.away) = (is_away, self.now)
            }
            Change::StoreForgets => self.store.forget(),
            Change::CutOff(hosts) => {
                (self.conditions.cut_off, self.conditions.away) = (hosts, self.now)
            }
        }
    }

    /// When the token in the store expires.
    pub(crate) fn token_expires(&self) -> Duration {
        self.store.token_expires().unwrap_or_default()
    }

    /// For how long a host could have had a token from the store.
    pub(crate) fn token_in_reach(&self, host: usize) -> Duration {
        // One that is about to expire may have expired to who looks.
        let until = self.now + Duration::from_secs(1);
        let since = self.store.token_since(until).filter(|_| !self.is_store_away(host));
        since.map_or(Duration::ZERO, |since| self.now - since.max(self.conditions.away))
    }

    /// How long the API asks to wait, if there were more requests in this minute than it answers.
    pub(super) fn limited(&mut self, most: Option<u32>) -> Option<Duration> {
        let minute = self.now.as_secs() / MINUTE;
        let (last, count) = &mut self.conditions.minute;
        if *last != minute {
            (*last, *count) = (minute, 0);
        }
        *count += 1;
        let is_over = most.is_some_and(|most| *count > most);
        is_over.then(|| Duration::from_secs((minute + 1) * MINUTE) - self.now)
    }

    /// Whether a host does not reach the store.
    pub(super) fn is_store_away(&self, host: usize) -> bool {
        self.store.is_away || self.conditions.cut_off.contains(&host)
    }
}
