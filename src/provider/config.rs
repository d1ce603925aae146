//! The settings of all languages, as a binding collects them.

use super::Listener;
use crate::credentials::CredentialsDraft;
use crate::{Error, Options, Store, TokenProvider};

/// Nothing is checked before it is used.
#[derive(Clone, Default)]
pub(crate) struct Config {
    pub(crate) credentials: CredentialsDraft,
    pub(crate) options: Options,
    pub(crate) allowed_hosts: Option<Vec<String>>,
    pub(crate) store: Store,
    pub(crate) listener: Option<Listener>,
}

impl Config {
    pub(crate) fn from_env() -> Result<Self, Error> {
        Ok(Self {
            credentials: CredentialsDraft::from_env()?,
            options: Options::from_env()?,
            allowed_hosts: None,
            store: Store::from_env()?.unwrap_or_default(),
            listener: None,
        })
    }

    pub(crate) fn provider(&self) -> Result<TokenProvider, Error> {
        let mut builder = TokenProvider::builder(self.credentials.finish()?)
            .options(self.options.clone())
            .store(self.store.clone())
            .listener(self.listener.clone());
        if let Some(hosts) = &self.allowed_hosts {
            builder = builder.allowed_hosts(hosts);
        }
        builder.build()
    }
}
