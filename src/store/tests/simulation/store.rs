//! Stands in for Redis: what its scripts do, with a clock of its own, and what strangers do to it.

use std::time::Duration;

use super::checks::Write;
use super::flaws::Flaw;
use super::schedule::State;
use super::seals::sealed_backoff;
use super::worlds::{StoreClock, World};
use crate::store::session::{Item, StoredItem, View};
use crate::store::stamp::Stamp;

/// A stranger's lease that is longer than any wait.
const LONG: Duration = Duration::from_secs(3600);

/// With an end, or without.
#[derive(Clone, Debug)]
struct Kept {
    what: Vec<u8>,
    ends: Option<Duration>,
}

pub(super) struct Store {
    token: Option<Kept>,
    backoff: Option<Kept>,
    lease: Option<Kept>,
    lease_length: Duration,
    /// When the token was put there.
    put: Duration,
    /// All that hosts ever stored.
    copies: Vec<Vec<u8>>,
    pub(super) is_away: bool,
    /// Until when it works on what has come.
    busy: Duration,
    pub(super) strangers_leases: u32,
    pub(super) commands: u64,
    clock: StoreClock,
    flaw: Option<Flaw>,
}

#[derive(Clone, Debug)]
pub(super) enum Command {
    Look,
    Lock { owner: Vec<u8>, from: Vec<u8> },
    Replace { item: Item, old: Vec<u8>, new: Vec<u8>, life: Duration },
    Release { owner: Vec<u8> },
}

impl Command {
    fn kind(&self) -> usize {
        match self {
            Self::Look => 0,
            Self::Lock { .. } => 1,
            Self::Replace { .. } => 2,
            Self::Release { .. } => 3,
        }
    }
}

/// Who sent a command, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) host: usize,
    pub(super) at: Duration,
}

#[derive(Debug)]
pub(super) enum Answer {
    View(View, Duration),
    Ours,
    Theirs(Vec<u8>),
    Replaced,
    Changed,
    /// It is what it was to become.
    Same,
    Released,
}

/// What anybody can do who has access to the store, but no seal.
#[derive(Clone, Copy, Debug)]
pub(super) enum StrangersAct {
    Delete(Item),
    DeleteLease,
    Garbage(Item),
    /// Something that hosts once stored, anywhere.
    Replay(Item),
    LongLease,
    EndlessLease,
    GoAway,
    ComeBack,
}

impl Kept {
    fn lives(&self, now: Duration) -> bool {
        self.ends.is_none_or(|ends| now < ends)
    }
}

impl Store {
    pub(super) fn new(world: &World) -> Self {
        Self {
            token: None,
            backoff: None,
            lease: None,
            put: Duration::ZERO,
            lease_length: world.timeout + Duration::from_secs(1),
            copies: Vec::new(),
            is_away: false,
            busy: Duration::ZERO,
            strangers_leases: 0,
            commands: 0,
            clock: world.store_clock,
            flaw: world.flaw,
        }
    }

    /// By the clock of the store.
    fn stamp(&self, now: Duration) -> Stamp {
        Stamp::new(self.clock.name, self.clock.epoch + now)
    }

    fn item(&mut self, item: Item, now: Duration) -> &mut Option<Kept> {
        let kept = match item {
            Item::Backoff => &mut self.backoff,
            _ => &mut self.token,
        };
        if kept.as_ref().is_some_and(|kept| !kept.lives(now)) {
            *kept = None;
        }
        kept
    }

    /// The bytes of the token, which are none if there is none.
    pub(super) fn token(&self) -> Vec<u8> {
        self.token.as_ref().map(|kept| kept.what.clone()).unwrap_or_default()
    }

    /// What `look.lua` gives.
    fn view(&mut self, now: Duration) -> View {
        let stands_still = self.flaw == Some(Flaw::StandsStill);
        let mut stored = |item| {
            let kept = self.item(item, now).clone()?;
            let left = kept.ends.filter(|_| !stands_still).map(|ends| ends - now);
            Some(StoredItem { blob: kept.what, left })
        };
        let (token, backoff) = (stored(Item::Token), stored(Item::Backoff));
        let passed = if stands_still { Duration::ZERO } else { now };
        View { now: self.stamp(passed), token, backoff }
    }

    /// What `lock.lua` does.
    fn lock(&mut self, owner: Vec<u8>, from: &[u8], now: Duration) -> Answer {
        if let Some(Kept { what: holder, ends: Some(ends) }) = &self.lease
            && now < *ends
            && *holder != owner
            && holder != from
            && self.flaw != Some(Flaw::LocksNobodyOut)
        {
            return Answer::Theirs(holder.clone());
        }
        self.lease = Some(Kept { what: owner, ends: Some(now + self.lease_length) });
        Answer::Ours
    }

    /// What `replace.lua` answers.
    fn replaces(&mut self, item: Item, old: &[u8], new: &[u8], now: Duration) -> Answer {
        let is_blind = self.flaw == Some(Flaw::WritesBlindly);
        let stored = self.item(item, now).as_ref().map_or(&[][..], |kept| &kept.what);
        match stored {
            _ if is_blind => Answer::Replaced,
            stored if stored == old => Answer::Replaced,
            stored if stored == new => Answer::Same,
            _ => Answer::Changed,
        }
    }

    fn put(&mut self, item: Item, new: Vec<u8>, life: Duration, now: Duration) {
        let ends = Some(now + life.max(Duration::from_millis(1)));
        let kept = Kept { what: new.clone(), ends };
        if item == Item::Token {
            self.put = now;
        }
        *self.item(item, now) = (!new.is_empty()).then_some(kept);
        self.copies.extend((!new.is_empty()).then_some(new));
    }

    /// When it has done something that comes at this time, after all that came before.
    pub(super) fn done(&mut self, comes: Duration, takes: Duration) -> Duration {
        let done = self.busy.max(comes) + takes;
        if !takes.is_zero() {
            self.busy = done;
        }
        done
    }

    /// As after a restart without a copy on disk.
    pub(super) fn forget(&mut self) {
        (self.token, self.backoff, self.lease) = (None, None, None);
    }

    /// Since when there is a token, if there is one.
    pub(super) fn token_since(&self, now: Duration) -> Option<Duration> {
        self.token.as_ref().filter(|token| token.lives(now)).map(|_| self.put)
    }

    pub(super) fn token_expires(&self) -> Option<Duration> {
        self.token.as_ref().and_then(|token| token.ends)
    }

    fn strangers_lease(&mut self, ends: Option<Duration>) {
        self.strangers_leases += 1;
        let what = format!("stranger {}", self.strangers_leases).into_bytes();
        self.lease = Some(Kept { what, ends });
    }
}

impl State {
    /// The store does what a host has sent.
    pub(super) fn run(&mut self, sent: Sent, command: Command) -> Answer {
        let (now, host) = (self.now, sent.host);
        self.store.commands += 1;
        self.load.commands.add(now);
        self.load.kinds[command.kind()] += 1;
        match command {
            Command::Look => Answer::View(self.store.view(now), now),
            Command::Lock { owner, from } => {
                let answer = self.store.lock(owner, &from, now);
                self.tell(|| match &answer {
                    Answer::Theirs(holder) => {
                        let holder = String::from_utf8_lossy(holder);
                        format!("store: host {host} waits for {holder}")
                    }
                    _ => format!("store: it is the turn of host {host}"),
                });
                answer
            }
            Command::Replace { item, old, new, life } => {
                let answer = self.store.replaces(item, &old, &new, now);
                if matches!(answer, Answer::Replaced) {
                    let Sent { host, at } = sent;
                    // What is there, whatever was to be there.
                    let old = self.store.item(item, now).as_ref().map(|kept| kept.what.clone());
                    let old = old.unwrap_or_default();
                    let write = Write { host, sent: at, old: &old, new: &new };
                    self.check_write(item, &write);
                    self.store.put(item, new, life, now);
                }
                answer
            }
            Command::Release { owner } => {
                if self.store.lease.as_ref().is_some_and(|lease| lease.what == owner) {
                    self.store.lease = None;
                    self.tell(|| format!("store: host {host} gives up its turn"));
                }
                Answer::Released
            }
        }
    }

    /// A stranger acts, or the store goes away or comes back.
    pub(super) fn let_stranger(&mut self, act: StrangersAct) {
        self.tell(|| format!("stranger: {act:?}"));
        let now = self.now;
        if matches!(act, StrangersAct::Delete(Item::Token) | StrangersAct::Garbage(Item::Token)) {
            self.seen.taken += 1;
        }
        match act {
            StrangersAct::Delete(item) => *self.store.item(item, now) = None,
            StrangersAct::DeleteLease => self.store.lease = None,
            StrangersAct::Garbage(item) => {
                let mut what = vec![b'x'; 1 + (self.numbers.next() % 100) as usize];
                if self.store.flaw == Some(Flaw::SealsGarbage) && item == Item::Backoff {
                    what = sealed_backoff(self.store.stamp(now));
                }
                *self.store.item(item, now) = Some(Kept { what, ends: None });
            }
            StrangersAct::Replay(item) => {
                let (count, drawn) = (self.store.copies.len(), self.numbers.next() as usize);
                if count > 0 {
                    self.seen.is_replayed = true;
                    let what = self.store.copies[drawn % count].clone();
                    *self.store.item(item, now) = Some(Kept { what, ends: None });
                }
            }
            StrangersAct::LongLease => self.store.strangers_lease(Some(now + LONG)),
            StrangersAct::EndlessLease => self.store.strangers_lease(None),
            StrangersAct::GoAway => self.store.is_away = true,
            StrangersAct::ComeBack => self.store.is_away = false,
        }
    }
}
