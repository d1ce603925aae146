//! The settings of all languages, as a binding collects them.

use super::Listener;
use crate::credentials::{CredentialsDraft, SecretSource};
use crate::env;
use crate::error::Error;
use crate::exchange::Options;
use crate::provider::TokenProvider;
use crate::store::Store;

/// Nothing is checked before it is used.
#[derive(Clone, Default)]
pub(crate) struct Config {
    pub(crate) credentials: CredentialsDraft,
    pub(crate) options: Options,
    pub(crate) allowed_hosts: Option<Vec<String>>,
    /// As [`Store::parse`] takes it.
    pub(crate) store: Option<String>,
    pub(crate) listener: Option<Listener>,
}

impl Config {
    /// Reads from the environment what is not set yet, and nothing else of it.
    pub(crate) fn fill_from_env(&mut self) -> Result<(), Error> {
        self.credentials.fill_from_env()?;
        self.options.fill_from_env()?;
        if self.store.is_none() {
            self.store = env::read("CLAZAR_STORE")?;
        }
        Ok(())
    }

    /// Which of the settings holds a secret, in words; None if all may be told.
    pub(crate) fn secret(&self) -> Option<&'static str> {
        if matches!(self.credentials.client_secret, Some(SecretSource::Given(_))) {
            Some("it was given its client secret")
        } else if self.credentials.fallback.is_some() {
            Some("it was given a fallback of its client secret")
        } else if self.options.auth_url_has_query() {
            Some("its auth_url has a query or a fragment, which may hold anything")
        } else if self.options.proxy_has_user() {
            Some("its proxy's URL names a user")
        } else if self.store.as_deref().is_some_and(Store::has_user_or_query) {
            Some("its store's URL names a user or has a query")
        } else {
            None
        }
    }

    pub(crate) fn provider(&self) -> Result<TokenProvider, Error> {
        let store = self.store.as_deref().map(Store::parse).transpose()?;
        let mut builder = TokenProvider::builder(self.credentials.finish()?)
            .options(self.options.clone())
            .store(store.unwrap_or_default())
            .listener(self.listener.clone());
        if let Some(hosts) = &self.allowed_hosts {
            builder = builder.allowed_hosts(hosts);
        }
        builder.build()
    }
}
