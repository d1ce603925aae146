//! States what must never happen, in terms of what is true and not of what a host believes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::schedule::State;
use super::seals::opened;
use super::worlds::{Limits, World};
use crate::store::session::Item;
use crate::token::{AccessToken, BETWEEN_REPLACEMENTS};

/// Stamps are in whole milliseconds, and are added up.
const ROUNDING: Duration = Duration::from_millis(3);
/// As in `shared_store.rs`.
const OVERTIME: Duration = Duration::from_secs(2);
/// For a few commands.
const A_MOMENT: Duration = Duration::from_millis(100);
/// A store that is slow with its last answers makes a wait so much longer.
const SLOW_ANSWERS: Duration = Duration::from_secs(3);

/// Which property does not hold.
pub(super) type Broken = &'static str;

/// A token as the API knows it.
pub(super) struct Token {
    sent: Duration,
    pub(super) is_refused: bool,
    /// Which hosts the API has told so, and when.
    refused_by: BTreeMap<usize, Duration>,
    /// When it was to be out of the store for that at the latest.
    out: Option<Duration>,
}

/// A sealed token, or the mark of a refused one.
#[derive(Clone, Copy)]
struct Blob {
    token: usize,
    /// By how much its stamp is too early, since the store's answer was late. `None` if the store refused all
    /// looks: then the wall clocks of hosts count.
    late_by: Option<Duration>,
}

/// A write, and when its host sent it.
pub(super) struct Write<'a> {
    pub(super) host: usize,
    pub(super) sent: Duration,
    pub(super) old: &'a [u8],
    pub(super) new: &'a [u8],
}

#[derive(Default)]
pub(super) struct Seen {
    pub(super) broken: Option<Broken>,
    /// How many hosts died or were stopped.
    pub(super) lost: u32,
    pub(super) is_replayed: bool,
    /// How often strangers took the token out of the store.
    pub(super) taken: u32,
    /// How many calls waited as long as a host may have its turn, and the longest of their waits.
    long_waits: u32,
    pub(super) longest_wait: Duration,
    pub(super) requests: u32,
    pub(super) in_flight: u32,
    pub(super) tokens: Vec<Token>,
    /// How late the store's time was known to who sealed a blob.
    late_by: BTreeMap<Vec<u8>, Option<Duration>>,
    /// What hosts have stored.
    blobs: BTreeMap<Vec<u8>, Blob>,
    /// When each back-off was stored, and how long it is.
    backoffs: Vec<(Duration, Duration)>,
    last_replacement: Option<Duration>,
    /// When the request was sent that each host makes.
    sent: BTreeMap<usize, Duration>,
    /// Calls that ended with a token from the store, one from the API, and an error.
    pub(super) ends: [u32; 3],
}

/// A call of a host.
pub(super) struct Call {
    pub(super) host: usize,
    pub(super) since: Duration,
    /// When its outcome was there, whether it was stored for others then or not.
    pub(super) until: Duration,
    pub(super) was_stopped: bool,
    pub(super) is_refresh: bool,
}

impl Seen {
    pub(super) fn break_rule(&mut self, which: Broken) {
        self.broken.get_or_insert(which);
    }

    fn unless(&mut self, holds: bool, which: Broken) {
        if !holds {
            self.break_rule(which);
        }
    }

    /// The text of a token that answers the request of a host.
    pub(super) fn new_token(&mut self, host: usize) -> String {
        let sent = self.sent[&host];
        self.tokens.push(Token { sent, is_refused: false, refused_by: BTreeMap::new(), out: None });
        format!("token-{}", self.tokens.len() - 1)
    }

    pub(super) fn refuse(&mut self, host: usize, token: usize, now: Duration) {
        self.tokens[token].refused_by.entry(host).or_insert(now);
    }

    pub(super) fn request_of(&self, host: usize) -> Option<Duration> {
        self.sent.get(&host).copied()
    }
}

pub(super) fn number(value: &str) -> usize {
    value.rsplit('-').next().and_then(|digits| digits.parse().ok()).expect("a token of this API")
}

impl State {
    /// A host begins to get a token.
    pub(super) fn call_begins(&mut self, host: usize) {
        self.thread_begins(host);
        self.seen.sent.remove(&host);
    }

    /// A host begins to use the store.
    pub(super) fn thread_begins(&mut self, host: usize) {
        (self.hosts[host].late_by, self.hosts[host].late_before) = (None, None);
    }

    /// A request is about to be sent.
    pub(super) fn check_request(&mut self, world: &World, host: usize, replaces: bool) {
        self.tell(|| format!("host {host} sends a request (replaces: {replaces})"));
        let (now, limits) = (self.now, world.limits);
        self.hosts[host].late_before = self.hosts[host].late_by;
        let seen = &mut self.seen;
        seen.sent.insert(host, now);
        seen.requests += 1;
        seen.in_flight += 1;
        let is_one = !limits.one_at_a_time || seen.in_flight == 1;
        seen.unless(is_one, "S4: two requests at once");
        let most = (2 * seen.lost).max(1) + seen.taken;
        let is_few = !limits.few_requests || seen.requests <= most;
        if !world.has_faults() && world.acts.is_empty() {
            for token in seen.tokens.iter_mut().filter(|token| token.refused_by.contains_key(&host))
            {
                token.out.get_or_insert(now);
            }
        }
        seen.unless(is_few, "L2: more requests than lost hosts and tokens account for");
    }

    /// A request has brought a token.
    pub(super) fn check_answer(&mut self, host: usize, limits: Limits) {
        if limits.replacements_apart && self.hosts[host].wants_replacement {
            self.check_apart(host);
        }
        // Where all tokens are refused, and none is renewed, all but the first are replacements.
        if limits.requests_apart && self.seen.tokens.len() > 1 {
            self.check_apart(host);
        }
    }

    /// A request for a replacement has brought one.
    fn check_apart(&mut self, host: usize) {
        let sent = self.seen.sent[&host];
        let last = self.seen.last_replacement.replace(sent);
        let is_apart =
            last.is_none_or(|last| sent.abs_diff(last) + A_MOMENT >= BETWEEN_REPLACEMENTS);
        self.seen
            .unless(is_apart, "S5: two requests for replacements come too soon after each other");
    }

    /// A host is about to store a blob, maybe not for the first time.
    pub(super) fn note_date(&mut self, host: usize, blob: &[u8]) {
        let host = &self.hosts[host];
        let late_by = host.late_before.or(host.late_by);
        self.seen.late_by.entry(blob.to_vec()).or_insert(late_by);
    }

    /// A write of a host takes effect.
    pub(super) fn check_write(&mut self, item: Item, write: &Write<'_>) {
        match (item, write.new) {
            (Item::Token, []) => self.check_erasure(write),
            (Item::Token, new) => match opened(item, new)["token"].as_str() {
                Some("") => self.check_mark(write),
                value => self.check_token(number(value.expect("a text")), write),
            },
            (_, []) => {}
            (_, new) => {
                let record = opened(item, new);
                let length = record["length"].as_u64().expect("a number");
                let is_said = !record["status"].is_null();
                self.seen.unless(is_said, "L3: a host's own trouble is stored for others");
                self.seen.backoffs.push((self.now, Duration::from_millis(length)));
                self.tell(|| {
                    format!("store: host {} stores a back-off of {length} ms", write.host)
                });
            }
        }
    }

    fn check_token(&mut self, token: usize, write: &Write<'_>) {
        let older = self.seen.blobs.get(write.old).copied();
        let place = older.map_or("nothing".to_owned(), |blob| format!("token-{}", blob.token));
        self.tell(|| format!("store: host {} stores token-{token} for {place}", write.host));
        let Token { sent, refused_by, .. } = &self.seen.tokens[token];
        let (sent, refused) = (*sent, refused_by.get(&write.host));
        // One that was on its way before can come late, and nobody can call it back.
        let may = refused.is_none_or(|refused| write.sent <= *refused);
        self.seen.unless(may, "S2: a host publishes a token that it refused");
        let is_older = older.is_some_and(|Blob { token, late_by }| {
            let other = self.seen.tokens[token].sent;
            late_by.is_some_and(|late_by| sent + late_by + ROUNDING < other)
        });
        self.seen.unless(!is_older, "S1: an older token replaces a newer one");
        let is_back = older.is_some_and(|blob| blob.token == token);
        self.seen.unless(!is_back, "S2: a token is stored again over its own mark");
        if self.seen.taken > 0 {
            // Where a stranger has made room, one that was on its way comes back in spite of its mark.
            self.seen.tokens[token].out = None;
        }
        let late_by = self.seen.late_by[write.new];
        let blob = Blob { token, late_by };
        self.seen.blobs.insert(write.new.to_vec(), blob);
    }

    /// The mark of a refused token takes its place.
    fn check_mark(&mut self, write: &Write<'_>) {
        let blob = self.seen.blobs.get(write.old).copied();
        self.seen
            .unless(blob.is_some(), "S1: a mark takes the place of something else than its token");
        let Some(blob) = blob else { return };
        let (token, host) = (blob.token, write.host);
        self.tell(|| format!("store: host {host} marks token-{token} as refused"));
        let is_refused = self.seen.tokens[token].refused_by.contains_key(&host);
        self.seen.unless(is_refused, "S1: a token is marked that its host did not refuse");
        self.seen.tokens[token].out.get_or_insert(self.now);
        self.seen.blobs.insert(write.new.to_vec(), blob);
    }

    fn check_erasure(&mut self, write: &Write<'_>) {
        let Some(blob) = self.seen.blobs.get(write.old).copied() else { return };
        self.tell(|| format!("store: host {} erases token-{}", write.host, blob.token));
        let Token { sent, refused_by, .. } = &self.seen.tokens[blob.token];
        let age = self.now.saturating_sub(*sent) + blob.late_by.unwrap_or(Duration::MAX / 2);
        let is_dead = age + ROUNDING >= self.lifetime;
        let may = is_dead || refused_by.contains_key(&write.host);
        self.seen
            .unless(may, "S1: a token is erased that is valid, and that its host did not refuse");
    }

    /// A host is given a token from the store.
    pub(super) fn check_served(&mut self, call: &Call, token: &AccessToken, left: Duration) {
        let at = number(token.value());
        self.tell(|| format!("host {} is given token-{at} from the store", call.host));
        let (now, lifetime) = (self.now, self.lifetime);
        let looked = self.hosts[call.host].looked;
        let given = &self.seen.tokens[at];
        let is_own = given.refused_by.contains_key(&call.host);
        let came_back = given.out.is_some_and(|out| out < looked) && !self.seen.is_replayed;
        let true_left = (given.sent + lifetime).saturating_sub(now);
        let lives = left <= true_left + ROUNDING;
        let is_young = !call.is_refresh || given.sent + ROUNDING >= call.since;
        let seen = &mut self.seen;
        seen.unless(!is_own, "S2: a host is given a token that it refused");
        seen.unless(
            !came_back,
            "S2: a host is given a token that was taken out since it was refused",
        );
        seen.unless(lives, "S1: a host is given a token that it believes to live too long");
        seen.unless(
            is_young,
            "S1: a host asks for a new token, and is given one that was there before",
        );
    }

    /// A host is told of another's failure.
    pub(super) fn check_spared(&mut self, host: usize) {
        let looked = self.hosts[host].looked;
        let is_on = self.seen.backoffs.iter().any(|(at, length)| looked < *at + *length);
        self.seen
            .unless(is_on, "L3: a back-off lasts longer than its length, or is none of the API's");
    }

    /// A host has its token or its error.
    pub(super) fn check_end(&mut self, world: &World, call: &Call, is_token: bool) {
        let mut wait = 2 * world.timeout + Duration::from_secs(3);
        if world.has_faults() {
            wait += SLOW_ANSWERS;
        }
        let (took, sent) = (call.until - call.since, self.seen.request_of(call.host));
        self.tell(|| format!("host {} ends a call after {took:.3?}", call.host));
        let waited = sent.map_or(took, |sent| sent - call.since);
        let is_in_time = waited <= wait && took <= wait + world.timeout || call.was_stopped;
        self.seen.unless(is_in_time, "L1: a wait does not end in time");
        if !call.was_stopped {
            self.seen.longest_wait = self.seen.longest_wait.max(waited);
            self.seen.long_waits += u32::from(waited >= world.timeout + OVERTIME);
        }
        let most = world.hosts as u32 * self.store.strangers_leases;
        let is_one = !world.limits.few_waits || self.seen.long_waits <= most;
        self.seen.unless(is_one, "S3: a lease of a stranger costs a host more than one wait");
        let is_served = is_token || !world.limits.always_token || call.was_stopped;
        self.seen.unless(is_served, "S3: a call brings no token although the API is well");
    }
}
