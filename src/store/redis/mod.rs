//! Keeps tokens in Redis or Valkey, for a fleet.
//!
//! The connection is not that of a client library, so that its certificates are judged as those of the API
//! are, and so that it ends in time and with the token request.

mod answer;
mod budget;
mod client_certificate;
mod command;
mod connection;
mod failure;
#[cfg(fuzzing)]
pub mod fuzzing;
mod looked;
mod redirection;
mod routing;
mod scripts;
mod servers;
mod session;
#[cfg(test)]
mod tests;
mod url;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use self::failure::Failure;
use self::session::RedisSession;
pub(super) use self::url::RedisUrl;
use self::url::Topology;
use super::StoreError;
use super::session::{Backend, Session};
use crate::request::url::Origin;
use crate::trust::Trust;

/// For how much longer than a token request may take the lease runs.
const LEASE_OVERTIME: Duration = Duration::from_secs(1);

pub(super) struct RedisStore {
    url: RedisUrl,
    trust: Arc<Trust>,
    lease: Duration,
    /// The node of a cluster that had the keys, or the sentinel that knew the master.
    known: ArcSwapOption<Origin>,
}

impl RedisStore {
    /// `timeout` is how long a token request may take.
    pub(super) fn new(url: RedisUrl, trust: Arc<Trust>, timeout: Duration) -> Self {
        Self { url, trust, lease: timeout + LEASE_OVERTIME, known: ArcSwapOption::empty() }
    }

    /// Where to connect to, the likeliest first.
    fn origins(&self) -> impl Iterator<Item = Origin> {
        let known = self.known.load_full().map(|origin| (*origin).clone());
        let others: Vec<_> =
            self.url.origins.iter().filter(|it| known.as_ref() != Some(it)).cloned().collect();
        known.into_iter().chain(others)
    }

    fn has_several_servers(&self) -> bool {
        self.url.topology != Topology::Server
    }

    /// Says which of several servers failed.
    fn named(&self, failure: Failure, origin: &Origin) -> Failure {
        if self.has_several_servers() { failure.of(origin) } else { failure }
    }

    fn remember(&self, origin: &Origin) {
        if !self.is_known(origin) {
            self.known.store(Some(Arc::new(origin.clone())));
        }
    }

    fn forget(&self, origin: &Origin) {
        if self.is_known(origin) {
            self.known.store(None);
        }
    }

    fn is_known(&self, origin: &Origin) -> bool {
        self.known.load().as_deref() == Some(origin)
    }

    fn error(&self, what: &str) -> StoreError {
        StoreError(format!("the store {} {what}", self.url.location()))
    }
}

impl Backend for RedisStore {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError> {
        Ok(Box::new(RedisSession::open(self)?))
    }

    fn location(&self, _name: &str) -> String {
        self.url.location()
    }
}
