//! Collects what a binding is told, and makes a provider of it.

use super::{Listener, TokenProvider};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::interface::{OptionName, OptionType};
use crate::option_values::{OptionValue, OptionValues};
use crate::request::Options;
use crate::store::Store;

/// The options of a provider, or of a token request. Nothing is checked before it is used.
#[derive(Clone, Default)]
pub(crate) struct Config {
    values: OptionValues,
    pub(crate) listener: Option<Listener>,
}

impl Config {
    pub(crate) fn set(&mut self, option: OptionName, value: OptionValue) {
        self.values.set(option, value);
    }

    /// Reads from the environment what is not set yet.
    pub(crate) fn fill_from_env(&mut self) -> Result<(), Error> {
        self.values.fill_from_env(|_| true)
    }

    pub(crate) fn values(&self) -> &OptionValues {
        &self.values
    }

    pub(crate) fn options(&self) -> Options {
        Options::of(&self.values)
    }

    pub(crate) fn credentials(&self) -> Result<Credentials, Error> {
        Credentials::from_values(&self.values)
    }

    pub(crate) fn provider(&self) -> Result<TokenProvider, Error> {
        let store = self.values.text(OptionName::Store).map(Store::parse).transpose()?;
        let mut builder = TokenProvider::builder(self.credentials()?)
            .options(self.options())
            .store(store.unwrap_or_default())
            .listener(self.listener.clone());
        if let Some(hosts) = self.values.hosts(OptionName::AllowedHosts) {
            builder = builder.allowed_hosts(hosts);
        }
        builder.build()
    }

    /// The first option that the program set and that holds a secret, or may hold one.
    pub(crate) fn first_secret(&self) -> Option<OptionName> {
        let mut given = self.values.given();
        given.find(|(option, value)| may_hold_a_secret(option.row().kind, value)).map(|it| it.0)
    }
}

fn may_hold_a_secret(kind: OptionType, value: &OptionValue) -> bool {
    match (kind, value) {
        (OptionType::Secret, _) => true,
        // A proxy's may be without a scheme.
        (OptionType::Url, OptionValue::Text(url)) => url.contains(['@', '?', '#']),
        // What follows a ? or a # is refused, but for a word and the paths of files.
        (OptionType::Store, OptionValue::Text(store)) => {
            store.contains("://") && store.contains('@')
        }
        (OptionType::Url | OptionType::Store | OptionType::Text | OptionType::Path, _)
        | (OptionType::Hosts | OptionType::Duration | OptionType::Flag, _) => false,
    }
}
