//! Uses Redis for one token request: over one connection, and once over another if that breaks off.

use std::thread;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::answer::Answer;
use super::budget::{Budget, Limit};
use super::connection::Connection;
use super::failure::Failure;
use super::routing::{Link, Route};
use super::url::Topology;
use super::{RedisStore, scripts};
use crate::store::StoreError;
use crate::store::session::{Holder, Item, Session, StoredItem, Turn, View};
use crate::store::stamp::Stamp;
use crate::text;

/// How often one command is sent. A cluster that changes names a node that is not the last one, or none for a
/// while; more would be a circle.
const MOST_TRIES: usize = 8;
/// Until keys that are being moved are asked for again.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct RedisSession<'a> {
    store: &'a RedisStore,
    budget: Budget,
    link: Option<Link>,
    /// Whether the first connection was replaced.
    is_second: bool,
    /// Why nothing is worth a try any more.
    broken: Option<String>,
    /// Names this session in a lease. Drawn before anything is sent, so that a lease is known as ours
    /// where the answer was lost.
    owner: [u8; 16],
    /// The leases that may be ours.
    leases: Vec<String>,
    /// Connections that broke off: a command sent on one may yet be run, and so may one sent after it.
    late: Vec<Connection>,
}

impl<'a> RedisSession<'a> {
    pub(super) fn open(store: &'a RedisStore) -> Result<Self, StoreError> {
        let mut owner = [0; 16];
        let drawn = SystemRandom::new().fill(&mut owner);
        drawn.map_err(|_| store.error("cannot be locked, for want of random numbers"))?;
        let mut session = Self {
            store,
            budget: Budget::new(),
            link: None,
            is_second: false,
            broken: None,
            owner,
            leases: Vec::new(),
            late: Vec::new(),
        };
        session.connect().map_err(|failure| store.error(failure.words()))?;
        Ok(session)
    }

    fn connect(&mut self) -> Result<(), Failure> {
        self.link = Some(self.route().connect()?);
        Ok(())
    }

    fn route(&mut self) -> Route<'_> {
        Route { store: self.store, budget: &mut self.budget }
    }

    /// What a script answers, and whether it was sent twice.
    fn run(&mut self, command: &[u8]) -> Result<(Answer, bool), StoreError> {
        if let Some(why) = &self.broken {
            return Err(self.store.error(why));
        }
        let answer = match self.run_there(command) {
            Err(first @ (Failure::BrokenOff(_) | Failure::Demoted(_))) if !self.is_second => {
                self.is_second = true;
                match self.connect().and_then(|()| self.run_there(command)) {
                    // The first time tells more than what was left for the second.
                    Err(Failure::BrokenOff(_)) => Err(first),
                    again => again.map(|answer| (answer, true)),
                }
            }
            answer => answer.map(|answer| (answer, false)),
        };
        answer.map_err(|failure| {
            if !failure.may_pass() {
                self.broken = Some(failure.words().to_owned());
            }
            self.store.error(failure.words())
        })
    }

    /// Asks the node that has the keys, where a cluster names another one.
    fn run_there(&mut self, command: &[u8]) -> Result<Answer, Failure> {
        let mut moving = None;
        for _ in 0..MOST_TRIES {
            match self.run_once(command) {
                Err(Failure::Redirected(there)) => self.link = Some(self.route().follow(there)?),
                Err(failure @ Failure::Moving(_)) => {
                    moving = Some(failure);
                    self.budget.spend(|_| thread::sleep(PAUSE));
                }
                answer => return answer,
            }
        }
        Err(moving.unwrap_or_else(|| {
            Failure::Unusable(
                "sends from node to node; its nodes do not agree on which of them has these keys"
                    .into(),
            )
        }))
    }

    fn run_once(&mut self, command: &[u8]) -> Result<Answer, Failure> {
        let Some(mut link) = self.link.take() else {
            return Err(Failure::BrokenOff("ended the connection".into()));
        };
        let answer = self.budget.spend(|limit| link.connection.ask(command, limit));
        let is_cluster = self.store.url.topology == Topology::Cluster;
        if let (true, Ok(Answer::Error(text))) = (is_cluster, &answer)
            && let Some(redirection) = link.redirection(text)
        {
            return Err(Failure::Redirected(redirection));
        }
        match answer {
            Ok(_) => self.link = Some(link),
            Err(_) => self.late.push(link.connection),
        }
        match answer? {
            Answer::Error(text) => Err(Failure::refusal("EVAL", &text)),
            // What a script says of a command of its own.
            Answer::List(items) => match items.as_slice() {
                [Answer::Bytes(command), Answer::Bytes(text)] => {
                    Err(refused_in_script(command, text))
                }
                _ => Ok(Answer::List(items)),
            },
            answer => Ok(answer),
        }
    }

    fn strange(&mut self) -> StoreError {
        let failure = Failure::strange();
        self.broken = Some(failure.words().to_owned());
        self.store.error(failure.words())
    }

    /// Gives back a lease that may be ours.
    fn release(&mut self, lease: &str) {
        let command = scripts::release(lease, &self.owner);
        // Run after what may yet take the lease there; no answer is waited for.
        for connection in &mut self.late {
            let _ = connection.send(&command, Limit::moment());
        }
        if self.link.is_none() && self.connect().is_err() {
            return;
        }
        if let Err(Failure::BrokenOff(_)) = self.run_there(&command)
            && self.connect().is_ok()
        {
            // One that cannot be released runs out.
            let _ = self.run_there(&command);
        }
    }
}

/// Only our own commands are named.
fn refused_in_script(command: &[u8], text: &[u8]) -> Failure {
    let command = scripts::COMMANDS.into_iter().find(|name| name.as_bytes() == command);
    match command {
        Some(command) => Failure::refusal(command, &String::from_utf8_lossy(text)),
        None => Failure::strange(),
    }
}

/// The keys of a name are in one slot of a cluster, by what is in braces.
fn key(name: &str, what: &str) -> String {
    format!("clazar-auth:{{{name}}}:{what}")
}

fn item_key(name: &str, item: Item) -> String {
    key(name, item.word())
}

impl Session for RedisSession<'_> {
    fn look(&mut self, name: &str) -> Result<View, StoreError> {
        let [token, backoff] = [Item::Token, Item::Backoff].map(|item| item_key(name, item));
        let (answer, _) = self.run(&scripts::look(&token, &backoff))?;
        view(answer).ok_or_else(|| self.strange())
    }

    /// A lease runs out by itself, unless it is none of ours.
    fn try_lock(&mut self, name: &str, from: Option<&Holder>) -> Result<Turn, StoreError> {
        let lease = key(name, "lease");
        let from = from.map_or(&[][..], |holder| &holder.0);
        let command = scripts::lock(&lease, &self.owner, self.store.lease, from);
        if !self.leases.contains(&lease) {
            self.leases.push(lease.clone());
        }
        let answer = self.run(&command).map(|(answer, _)| answer);
        let is_not_ours = matches!(answer, Err(_) | Ok(Answer::Bytes(_)));
        if is_not_ours && self.broken.is_none() && self.late.is_empty() {
            self.leases.retain(|other| *other != lease);
        }
        match answer? {
            Answer::Number(1) => Ok(Turn::Ours),
            Answer::Bytes(holder) => {
                // The wait for that one has a limit of its own.
                self.budget = Budget::new();
                Ok(Turn::Theirs(Holder(holder)))
            }
            _ => Err(self.strange()),
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
            _ => Err(self.strange()),
        }
    }
}

impl Drop for RedisSession<'_> {
    fn drop(&mut self) {
        for lease in std::mem::take(&mut self.leases) {
            self.release(&lease);
        }
    }
}

/// What `look.lua` says.
fn view(answer: Answer) -> Option<View> {
    let Answer::List(items) = answer else { return None };
    let [seconds, micros, token, token_left, backoff, backoff_left] = items.try_into().ok()?;
    let now = Duration::from_secs(decimal(&seconds)?)
        .checked_add(Duration::from_micros(decimal(&micros)?))?;
    Some(View {
        now: Stamp::unix(now),
        token: stored(token, token_left)?,
        backoff: stored(backoff, backoff_left)?,
    })
}

fn decimal(answer: &Answer) -> Option<u64> {
    let Answer::Bytes(digits) = answer else { return None };
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What has no end has a negative number there.
fn stored(value: Answer, left: Answer) -> Option<Option<StoredItem>> {
    let (Answer::Bytes(blob), Answer::Number(left)) = (value, left) else { return None };
    let left = u64::try_from(left).ok().map(Duration::from_millis);
    Some((!blob.is_empty()).then_some(StoredItem { blob, left }))
}
