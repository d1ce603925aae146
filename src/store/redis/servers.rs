//! Runs a command at a server that can do it, over one connection after the other.

use super::answer::Answer;
use super::budget::{Budget, Limit};
use super::connection::Connection;
use super::failure::{Failure, FailureKind};
use super::redirection::Redirection;
use super::routing::{Link, Route};
use super::url::Topology;
use super::{RedisStore, scripts};
use crate::request::url::Origin;

/// Of one command. A cluster that changes names a node that is not the last one; more would be a circle.
const MOST_REDIRECTIONS: usize = 4;

/// What a server says to a command.
enum Reply {
    Answer(Answer),
    Redirected(Redirection),
}

/// The servers of a store, as far as a session knows them.
///
/// A search begins at one of the origins of the store (`began_at`), and may lead to another server (`last`). If that is
/// of no use, the origin is passed over, and the search begins at the next one.
pub(super) struct Servers<'a> {
    store: &'a RedisStore,
    pub(super) budget: Budget,
    link: Option<Link>,
    began_at: Option<Origin>,
    last: Option<Origin>,
    passed_over: Vec<Origin>,
    /// Whether all that were passed over had another chance.
    were_tried_again: bool,
    /// Connections that broke off: a command sent on one may yet be run, and so may one sent after it.
    late: Vec<Connection>,
}

impl<'a> Servers<'a> {
    pub(super) fn connect(store: &'a RedisStore) -> Result<Self, Failure> {
        let mut servers = Self {
            store,
            budget: Budget::new(),
            link: None,
            began_at: None,
            last: None,
            passed_over: Vec::new(),
            were_tried_again: false,
            late: Vec::new(),
        };
        servers.find_one()?;
        Ok(servers)
    }

    /// Whether a command that was given up may yet be run.
    pub(super) fn may_be_late(&self) -> bool {
        !self.late.is_empty()
    }

    fn find_one(&mut self) -> Result<(), Failure> {
        let (link, origin) = self.route().connect()?;
        (self.link, self.began_at) = (Some(link), Some(origin));
        Ok(())
    }

    /// Another server, or once more one of those that were there.
    fn find_another(&mut self) -> Result<(), Failure> {
        if let Some(origin) = self.last.take() {
            self.store.forget(&origin);
        }
        if let Some(origin) = self.began_at.take() {
            self.route().pass_over(&origin);
        }
        let is_left = self.store.origins().any(|origin| !self.passed_over.contains(&origin));
        if !is_left && !std::mem::replace(&mut self.were_tried_again, true) {
            self.passed_over.clear();
        }
        self.find_one()
    }

    fn route(&mut self) -> Route<'_> {
        let Self { store, budget, passed_over, .. } = self;
        Route { store, budget, passed_over }
    }

    /// What a script answers, and whether it was sent twice.
    pub(super) fn run(&mut self, command: &[u8]) -> Result<(Answer, bool), Failure> {
        let mut earlier: Option<Failure> = None;
        loop {
            let failure = match self.run_there(command) {
                Err(failure) if self.is_worth_another(failure.kind) => failure,
                answer => return answer.map(|answer| (answer, earlier.is_some())),
            };
            // The first time tells more than what is left for the next one.
            let first = earlier.get_or_insert(failure);
            if let Err(failure) = self.find_another() {
                return Err(if failure.kind.is_told() { failure } else { first.clone() });
            }
        }
    }

    /// Whether another server, or another connection, may do what this one did not.
    fn is_worth_another(&self, kind: FailureKind) -> bool {
        match kind {
            FailureKind::BrokenOff | FailureKind::NotNow => true,
            FailureKind::Unusable => self.store.has_several_servers(),
            FailureKind::Refused | FailureKind::Moving => false,
        }
    }

    /// Asks the node that has the keys, where a cluster names another one.
    fn run_there(&mut self, command: &[u8]) -> Result<Answer, Failure> {
        for _ in 0..MOST_REDIRECTIONS {
            match self.run_once(command)? {
                Reply::Answer(answer) => return Ok(answer),
                Reply::Redirected(there) => self.link = Some(self.route().follow(there)?),
            }
        }
        Err(Failure::unusable(
            "sends from node to node; its nodes do not agree on which of them has these keys",
        ))
    }

    fn run_once(&mut self, command: &[u8]) -> Result<Reply, Failure> {
        let Some(mut link) = self.link.take() else {
            return Err(Failure::broken_off("ended the connection"));
        };
        let origin = link.origin.clone();
        self.last = Some(origin.clone());
        let answer = self.budget.spend(|limit| link.connection.ask(command, limit));
        if let Ok(Answer::Error(text)) = &answer
            && self.store.url.topology == Topology::Cluster
            && Redirection::is_in(text)
        {
            let there = Redirection::parse(text, &origin);
            return there.map(Reply::Redirected).ok_or_else(Failure::strange);
        }
        match answer {
            Ok(_) => self.link = Some(link),
            Err(_) => self.late.push(link.connection),
        }
        let answer = answer.and_then(judged).map_err(|failure| self.store.named(failure, &origin));
        answer.map(Reply::Answer)
    }

    /// Runs a command that undoes others, also those that may yet be run.
    pub(super) fn undo(&mut self, command: &[u8]) {
        // Run after what may yet be run there; no answer is waited for.
        for connection in &mut self.late {
            let _ = connection.send(command, Limit::moment());
        }
        self.budget.leave_time_for_the_end();
        self.passed_over.clear();
        if self.link.is_none() && self.find_one().is_err() {
            return;
        }
        let ended = self.run_there(command);
        let is_broken = ended.is_err_and(|failure| failure.kind == FailureKind::BrokenOff);
        if is_broken && self.find_one().is_ok() {
            let _ = self.run_there(command);
        }
    }
}

/// What a script answers, unless it is an error.
fn judged(answer: Answer) -> Result<Answer, Failure> {
    match answer {
        Answer::Error(text) => Err(Failure::refusal("EVAL", &text)),
        // What a script says of a command of its own.
        Answer::List(items) => match items.as_slice() {
            [Answer::Bytes(command), Answer::Bytes(text)] => Err(refused_in_script(command, text)),
            _ => Ok(Answer::List(items)),
        },
        answer => Ok(answer),
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
