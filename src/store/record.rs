//! Writes and reads what a blob says, and how old that is on this machine.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::sys::clock::{Boot, Moment};
use crate::token::{AccessToken, LONGEST_LIFETIME, is_token};
use crate::unix_time::{milliseconds, since_1970};

/// A token from a clock further ahead than this cannot be trusted.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

/// What a record says besides the token itself takes no more bytes than this.
pub(crate) const AROUND_THE_TOKEN: usize = 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    /// In milliseconds, as all times here.
    lifetime: u64,
    /// When the request was sent, since 1970.
    sent: u64,
    /// On which boot, and at which uptime.
    #[serde(borrow)]
    boot: Option<(Cow<'a, str>, u64)>,
}

impl<'a> Record<'a> {
    pub(super) fn of(token: &'a AccessToken, now: Moment, boot: Option<&'a Boot>) -> Self {
        let age = token.age(now);
        Self {
            token: token.value().into(),
            lifetime: milliseconds(token.lifetime()),
            sent: milliseconds(since_1970(now.wall()).saturating_sub(age)),
            boot: boot.map(|boot| {
                (boot.id.as_str().into(), milliseconds(boot.uptime.saturating_sub(age)))
            }),
        }
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

    /// The token, if it is valid: by wall time, and on the same boot by the larger of both.
    pub(super) fn token(&self, now: Moment, boot: Option<&Boot>) -> Option<AccessToken> {
        let wall = since_1970(now.wall());
        let sent = Duration::from_millis(self.sent);
        let by_wall = wall.saturating_sub(sent);
        let same_boot = self.boot.as_ref().zip(boot).filter(|((id, _), boot)| *id == boot.id);
        let by_boot = same_boot.map_or(Duration::ZERO, |((_, uptime), boot)| {
            boot.uptime.saturating_sub(Duration::from_millis(*uptime))
        });
        let age = by_wall.max(by_boot);
        let lifetime = Duration::from_millis(self.lifetime).min(LONGEST_LIFETIME);
        let usable = sent <= wall + CLOCK_DIFFERENCE && age < lifetime && is_token(&self.token);
        usable.then(|| AccessToken::aged(&self.token, now, age, lifetime))
    }
}
