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
    origin: Origin,
}

/// The way to the servers of a store, within what they may take.
pub(super) struct Route<'a> {
    pub(super) store: &'a RedisStore,
    pub(super) budget: &'a mut Budget,
}

impl Route<'_> {
    /// A connection to the server, to the master, or to a node that may have the keys.
    pub(super) fn connect(&mut self) -> Result<Link, Failure> {
        let mut first = None;
        for origin in self.store.origins() {
            let link = match &self.store.url.topology {
                Topology::Server | Topology::Cluster => self.log_in(origin),
                Topology::Sentinel(master) => {
                    self.master(&origin, master).and_then(|master| self.log_in(master))
                }
            };
            match link {
                Err(failure @ Failure::Refused(_)) => return Err(failure),
                Err(failure) => first = first.or(Some(failure)),
                link => return link,
            }
        }
        Err(first.expect("there is a server in a URL"))
    }

    /// A connection to where the keys are said to be.
    pub(super) fn follow(&mut self, redirection: Redirection) -> Result<Link, Failure> {
        let Redirection { origin, is_ask } = redirection;
        self.check(&origin)?;
        let mut link = self.log_in(origin)?;
        if is_ask {
            self.run(&mut link.connection, Command::new("ASKING"), "ASKING")?;
        } else {
            self.store.remember(link.origin.clone());
        }
        Ok(link)
    }

    /// What a server of the store names may be another machine.
    fn check(&self, origin: &Origin) -> Result<(), Failure> {
        if self.store.url.may_reach(origin) {
            return Ok(());
        }
        Err(Failure::Unusable(
            "leads to another machine without TLS; use rediss+, or add ?plaintext=yes".into(),
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
                return Err(Failure::Unusable(
                    "knows no master of this name; correct it in its URL".into(),
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

    fn log_in(&mut self, origin: Origin) -> Result<Link, Failure> {
        let mut connection = self.open(&origin)?;
        self.authenticate(&mut connection)?;
        let database = self.store.url.database;
        if database != 0 {
            self.run(&mut connection, Command::new("SELECT").number(database.into()), "SELECT")?;
        }
        Ok(Link { connection, origin })
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

impl Link {
    /// Where an error says that the keys are.
    pub(super) fn redirection(&self, error: &str) -> Option<Redirection> {
        Redirection::parse(error, &self.origin)
    }
}

/// Whether who logs in may be told more.
fn is_for_others(error: &str) -> bool {
    ["NOAUTH ", "NOPERM "].iter().any(|code| error.starts_with(code))
}
