//! Keyword arguments become settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pyo3::prelude::*;

use super::argument::{Argument, flag, hosts, number, optional, owned, path, text};
use super::error::raise;
use crate::binding::{Config, Secret, SecretSource};
use crate::{Error, Options};

/// The keyword arguments that all constructors take, as they came.
pub(super) struct Arguments<'py> {
    pub(super) client_secret_file: Argument<'py>,
    pub(super) client_secret_fallback: Argument<'py>,
    pub(super) auth_url: Argument<'py>,
    pub(super) ca_file: Argument<'py>,
    pub(super) proxy: Argument<'py>,
    pub(super) timeout: Argument<'py>,
    pub(super) user_agent: Argument<'py>,
    pub(super) allowed_hosts: Argument<'py>,
    pub(super) store: Argument<'py>,
    pub(super) trust_env: Argument<'py>,
    pub(super) system_roots: Argument<'py>,
}

impl Arguments<'_> {
    pub(super) fn read(&self) -> PyResult<Keywords> {
        Ok(Keywords {
            client_secret_file: optional("client_secret_file", &self.client_secret_file, path)?,
            client_secret_fallback: optional(
                "client_secret_fallback",
                &self.client_secret_fallback,
                owned,
            )?,
            auth_url: optional("auth_url", &self.auth_url, owned)?,
            ca_file: optional("ca_file", &self.ca_file, path)?,
            proxy: optional("proxy", &self.proxy, owned)?,
            timeout: optional("timeout", &self.timeout, number)?,
            user_agent: optional("user_agent", &self.user_agent, owned)?,
            allowed_hosts: optional("allowed_hosts", &self.allowed_hosts, hosts)?,
            store: optional("store", &self.store, path)?,
            trust_env: optional("trust_env", &self.trust_env, flag)?,
            system_roots: optional("system_roots", &self.system_roots, flag)?,
        })
    }
}

/// The same, in Rust's types.
pub(super) struct Keywords {
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) client_secret_fallback: Option<String>,
    pub(super) auth_url: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) proxy: Option<String>,
    pub(super) timeout: Option<f64>,
    pub(super) user_agent: Option<String>,
    pub(super) allowed_hosts: Option<Vec<String>>,
    pub(super) store: Option<PathBuf>,
    pub(super) trust_env: Option<bool>,
    pub(super) system_roots: Option<bool>,
}

impl Keywords {
    /// The settings of a call that names the credentials.
    pub(super) fn given(
        &self,
        py: Python<'_>,
        client_id: &Bound<'_, PyAny>,
        client_secret: &Argument<'_>,
    ) -> PyResult<Config> {
        let client_id = text("client_id", client_id)?;
        let secret = optional("client_secret", client_secret, text)?.map(Secret::new);
        let source = SecretSource::one_of(secret, self.secret_file());
        let mut config = Config::default();
        config.credentials.client_id = Some(client_id.to_owned());
        config.credentials.client_secret = source.map_err(|error| raise(py, &error))?;
        self.apply(py, config)
    }

    /// The settings of a call that leaves the rest to the environment.
    pub(super) fn named(&self, py: Python<'_>) -> PyResult<Config> {
        let mut config = Config::default();
        config.credentials.client_secret = self.secret_file();
        self.apply(py, config)
    }

    fn secret_file(&self) -> Option<SecretSource> {
        self.client_secret_file.clone().map(SecretSource::file)
    }

    fn apply(&self, py: Python<'_>, mut config: Config) -> PyResult<Config> {
        config.credentials.fallback = self.client_secret_fallback.as_deref().map(Secret::new);
        let mut options = config.options;
        set(&mut options, self.auth_url.as_ref(), Options::auth_url);
        set(&mut options, self.ca_file.as_ref(), Options::ca_file);
        set(&mut options, self.proxy.as_ref(), Options::proxy);
        set(&mut options, self.user_agent.as_ref(), Options::user_agent);
        set(&mut options, seconds(py, self.timeout)?, Options::timeout);
        set(&mut options, self.trust_env, Options::trust_env);
        set(&mut options, self.system_roots, Options::system_roots);
        config.options = options;
        config.allowed_hosts = self.allowed_hosts.clone();
        config.store = self.store.as_ref().map(|store| utf8(py, store)).transpose()?;
        Ok(config)
    }
}

fn utf8(py: Python<'_>, store: &Path) -> PyResult<String> {
    let text = store.to_str().map(str::to_owned);
    text.ok_or_else(|| raise(py, &Error::invalid("the store is not valid UTF-8; name another")))
}

fn set<T>(options: &mut Options, value: Option<T>, apply: impl FnOnce(Options, T) -> Options) {
    if let Some(value) = value {
        *options = apply(std::mem::take(options), value);
    }
}

/// The argument `timeout` of a call.
pub(super) fn timeout(py: Python<'_>, argument: &Argument<'_>) -> PyResult<Option<Duration>> {
    seconds(py, optional("timeout", argument, number)?)
}

fn seconds(py: Python<'_>, number: Option<f64>) -> PyResult<Option<Duration>> {
    number.map(|number| duration(py, "timeout", number)).transpose()
}

/// A number of seconds that a [`Duration`] can hold; `what` names the argument.
pub(super) fn duration(py: Python<'_>, what: &str, number: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(number).map_err(|_| {
        let text = format!("the {what} is not a number of seconds from 0 up; give one");
        raise(py, &Error::invalid(text))
    })
}
