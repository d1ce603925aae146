//! Finds the server that has the keys: the one of the URL, a node of a cluster, or the master that a sentinel
//! names.

use super::RedisStore;
use super::answer::Answer;
use super::budget::Budget;
use super::command::Command;
use super::connection::{Connection, Tls};
use super::failure::{Failure, WHO_IS_MASTER};
use super::redirection::{Redirection, origin};
use super::url::Topology;
use crate::request::url::Origin;

/// A connection to a server, on which commands can be sent.
pub(super) struct Link {
    pub(super) connection: Connection,
    pub(super) origin: Origin,
}

/// The way to the servers of a store, within what they may take.
pub(super) struct Route<'a> {
    pub(super) store: &'a RedisStore,
    pub(super) budget: &'a mut Budget,
    /// Where nothing was found that is of use.
    pub(super) passed_over: &'a mut Vec<Origin>,
}

impl Route<'_> {
    /// A connection to the server, to the master, or to a node that may have the keys.
    ///
    /// Also where the search for it began.
    pub(super) fn connect(&mut self) -> Result<(Link, Origin), Failure> {
        let origins: Vec<_> =
            self.store.origins().filter(|origin| !self.passed_over.contains(origin)).collect();
        let mut failures = Vec::new();
        for (at, origin) in origins.iter().enumerate() {
            // The last of several leaves some time for what it is to be asked.
            let others = origins.len() - 1 - at + usize::from(self.store.has_several_servers());
            match self.within_part(others, |route| route.find(origin)) {
                Ok(link) => {
                    self.store.remember(origin);
                    return Ok((link, origin.clone()));
                }
                Err(failure) => {
                    self.pass_over(origin);
                    failures.push(failure);
                }
            }
        }
        let most_telling = failures.into_iter().min_by_key(|failure| !failure.kind.is_told());
        Err(most_telling.unwrap_or_else(|| Failure::broken_off("has no server left to ask")))
    }

    pub(super) fn pass_over(&mut self, origin: &Origin) {
        self.store.forget(origin);
        self.passed_over.push(origin.clone());
    }

    fn find(&mut self, origin: &Origin) -> Result<Link, Failure> {
        let server = match &self.store.url.topology {
            Topology::Server | Topology::Cluster => origin.clone(),
            Topology::Sentinel(master) => {
                self.master(origin, master).map_err(|failure| self.store.named(failure, origin))?
            }
        };
        let connection =
            self.log_in(&server).map_err(|failure| self.store.named(failure, &server))?;
        Ok(Link { connection, origin: server })
    }

    /// A connection to where the keys are said to be.
    pub(super) fn follow(&mut self, redirection: Redirection) -> Result<Link, Failure> {
        let Redirection { origin, is_ask } = redirection;
        self.check(&origin)?;
        let connection = self.within_part(1, |route| {
            let mut connection = route.log_in(&origin)?;
            if is_ask {
                route.run(&mut connection, Command::new("ASKING"), "ASKING")?;
            }
            Ok(connection)
        });
        let connection = connection.map_err(|failure| self.store.named(failure, &origin))?;
        if !is_ask {
            self.store.remember(&origin);
        }
        Ok(Link { connection, origin })
    }

    /// Leaves as much time as that to so many others.
    fn within_part<T>(&mut self, others: usize, act: impl FnOnce(&mut Route<'_>) -> T) -> T {
        let Route { store, budget, passed_over } = self;
        budget.spend_part(others, |budget| act(&mut Route { store, budget, passed_over }))
    }

    /// What a server of the store names may be another machine.
    fn check(&self, origin: &Origin) -> Result<(), Failure> {
        if self.store.url.may_reach(origin) {
            return Ok(());
        }
        Err(Failure::unusable(
            "leads to another machine without TLS; use rediss+, or add ?plaintext=yes",
        ))
    }

    fn master(&mut self, sentinel: &Origin, name: &str) -> Result<Origin, Failure> {
        let mut connection = self.open(sentinel)?;
        let question =
            || Command::new("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name).packed();
        let mut answer = self.ask(&mut connection, &question())?;
        // It is told a password only if it asks for one, or lets nobody without one ask.
        if matches!(&answer, Answer::Error(text) if is_for_others(text)) {
            self.authenticate(&mut connection)?;
            answer = self.ask(&mut connection, &question())?;
        }
        let origin = match answer {
            Answer::Nothing => {
                return Err(Failure::unusable(
                    "knows no master of this name; correct it in its URL",
                ));
            }
            Answer::Error(text) => return Err(Failure::refusal(WHO_IS_MASTER, &text)),
            Answer::List(items) => match items.as_slice() {
                [Answer::Bytes(host), Answer::Bytes(port)] => origin(host, port),
                _ => None,
            },
            _ => None,
        };
        let origin = origin.ok_or_else(Failure::strange)?;
        self.check(&origin)?;
        Ok(origin)
    }

    fn log_in(&mut self, origin: &Origin) -> Result<Connection, Failure> {
        let mut connection = self.open(origin)?;
        self.authenticate(&mut connection)?;
        let database = self.store.url.database;
        if database != 0 {
            self.run(&mut connection, Command::new("SELECT").number(database.into()), "SELECT")?;
        }
        Ok(connection)
    }

    fn open(&mut self, origin: &Origin) -> Result<Connection, Failure> {
        let RedisStore { url, trust, .. } = self.store;
        let tls = url.is_tls().then_some(Tls { trust, certificate: url.certificate.as_ref() });
        self.budget.spend(|limit| Connection::open(origin, tls, limit))
    }

    fn authenticate(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let url = &self.store.url;
        let Some(password) = &url.password else { return Ok(()) };
        let command = url.user.iter().fold(Command::new("AUTH"), Command::arg);
        self.run(connection, command.arg(password), "AUTH")
    }

    fn run(
        &mut self,
        connection: &mut Connection,
        command: Command,
        name: &str,
    ) -> Result<(), Failure> {
        match self.ask(connection, &command.packed())? {
            Answer::Done => Ok(()),
            Answer::Error(text) => Err(Failure::refusal(name, &text)),
            _ => Err(Failure::strange()),
        }
    }

    fn ask(&mut self, connection: &mut Connection, command: &[u8]) -> Result<Answer, Failure> {
        self.budget.spend(|limit| connection.ask(command, limit))
    }
}

/// Whether who logs in may be told more.
fn is_for_others(error: &str) -> bool {
    ["NOAUTH ", "NOPERM "].iter().any(|code| error.starts_with(code))
}
