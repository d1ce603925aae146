//! Uses Redis for one token request.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::answer::Answer;
use super::budget::Budget;
use super::failure::{Failure, FailureKind};
use super::looked::{Looked, looked};
use super::servers::Servers;
use super::{RedisStore, scripts};
use crate::store::StoreError;
use crate::store::session::{Holder, Item, Session, Turn, View};
use crate::text;

pub(super) struct RedisSession<'a> {
    store: &'a RedisStore,
    servers: Servers<'a>,
    /// Why nothing is worth a try any more.
    broken: Option<String>,
    /// Names this session in a lease. Drawn before anything is sent, so that a lease is known as ours
    /// where the answer was lost.
    owner: [u8; 16],
    /// The leases that may be ours.
    leases: Vec<String>,
}

impl<'a> RedisSession<'a> {
    pub(super) fn open(store: &'a RedisStore) -> Result<Self, StoreError> {
        let mut owner = [0; 16];
        let drawn = SystemRandom::new().fill(&mut owner);
        drawn.map_err(|_| store.error("cannot be locked, for want of random numbers"))?;
        let servers = Servers::connect(store).map_err(|failure| store.error(&failure.words))?;
        Ok(Self { store, servers, broken: None, owner, leases: Vec::new() })
    }

    fn check(&self) -> Result<(), StoreError> {
        self.broken.as_ref().map_or(Ok(()), |why| Err(self.store.error(why)))
    }

    /// What a script answers, and whether it was sent twice.
    fn run(&mut self, command: &[u8]) -> Result<(Answer, bool), StoreError> {
        self.check()?;
        self.servers.run(command).map_err(|failure| self.failed(&failure))
    }

    fn failed(&mut self, failure: &Failure) -> StoreError {
        if !failure.kind.is_told() {
            self.broken = Some(failure.words.clone());
        }
        self.store.error(&failure.words)
    }

    fn look_at_each(&mut self, first: &str, second: &str) -> Result<Looked, Failure> {
        let (now, mut items) = self.look_at(&[first])?;
        items.append(&mut self.look_at(&[second])?.1);
        Ok((now, items))
    }

    fn look_at(&mut self, items: &[&str]) -> Result<Looked, Failure> {
        let (answer, _) = self.servers.run(&scripts::look(items))?;
        looked(answer).ok_or_else(Failure::strange)
    }
}

/// The keys of a client, with any secret, are in one slot of a cluster, by what is in braces.
fn key(name: &str, what: &str) -> String {
    let (of_client, of_secret) = name.split_at(name.len() / 2);
    format!("clazar-auth:{{{of_client}}}:{of_secret}:{what}")
}

fn item_key(name: &str, item: Item) -> String {
    key(name, item.word())
}

impl Session for RedisSession<'_> {
    fn look(&mut self, name: &str) -> Result<View, StoreError> {
        self.check()?;
        let [token, backoff] = [Item::Token, Item::Backoff].map(|item| item_key(name, item));
        let looked = match self.look_at(&[&token, &backoff]) {
            // Each by itself is there or here.
            Err(failure) if failure.kind == FailureKind::Moving => {
                self.look_at_each(&token, &backoff)
            }
            looked => looked,
        };
        let (now, items) = looked.map_err(|failure| self.failed(&failure))?;
        let [token, backoff] = items.try_into().map_err(|_| self.failed(&Failure::strange()))?;
        Ok(View { now, token, backoff })
    }

    /// A lease runs out by itself, unless it is none of ours.
    fn try_lock(&mut self, name: &str, from: Option<&Holder>) -> Result<Turn, StoreError> {
        self.check()?;
        let lease = key(name, "lease");
        let from = from.map_or(&[][..], |holder| &holder.0);
        let command = scripts::lock(&lease, &self.owner, self.store.lease, from);
        if !self.leases.contains(&lease) {
            self.leases.push(lease.clone());
        }
        let answer = self.run(&command).map(|(answer, _)| answer);
        let is_not_ours = matches!(answer, Err(_) | Ok(Answer::Bytes(_)));
        if is_not_ours && self.broken.is_none() && !self.servers.may_be_late() {
            self.leases.retain(|other| *other != lease);
        }
        match answer? {
            Answer::Number(1) => Ok(Turn::Ours),
            Answer::Bytes(holder) => {
                // The wait for that one has a limit of its own.
                self.servers.budget = Budget::new();
                Ok(Turn::Theirs(Holder(holder)))
            }
            _ => Err(self.failed(&Failure::strange())),
        }
    }

    fn replace(
        &mut self,
        name: &str,
        item: Item,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        life: Duration,
    ) -> Result<bool, StoreError> {
        let [old, new] = [old, new].map(Option::unwrap_or_default);
        let item = match item {
            // Where nothing is left of a probe that was killed.
            Item::Probe => key(name, &format!("probe:{}", text::hex(&self.owner))),
            _ => item_key(name, item),
        };
        match self.run(&scripts::replace(&item, old, new, life))? {
            (Answer::Number(1), _) => Ok(true),
            (Answer::Number(0), _) => Ok(false),
            // The first time it was done, and the answer was lost.
            (Answer::Number(2), is_repeated) => Ok(is_repeated),
            _ => Err(self.failed(&Failure::strange())),
        }
    }
}

impl Drop for RedisSession<'_> {
    fn drop(&mut self) {
        for lease in std::mem::take(&mut self.leases) {
            // One that cannot be given back runs out.
            self.servers.undo(&scripts::release(&lease, &self.owner));
        }
    }
}
