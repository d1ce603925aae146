//! Converts keyword arguments to options.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::argument::{Argument, callable, flag, hosts, number, optional, owned, path};
use super::error::raise;
use super::function::Function;
use crate::Error;
use crate::binding::{Config, OptionName, OptionRow, OptionType, OptionValue, Scope, Secret, held};

/// The keyword of a provider that is for Python alone.
pub(super) const ON_EVENT: &str = "on_event";

/// The arguments of a call that makes a provider, or that asks for one token.
pub(super) struct Arguments<'a, 'py> {
    /// Its name, for errors.
    pub(super) name: &'static str,
    /// Whether it makes a provider.
    pub(super) is_provider: bool,
    pub(super) keywords: Option<&'a Bound<'py, PyDict>>,
}

impl<'py> Arguments<'_, 'py> {
    /// What the call says, with its credentials, and the function that the secret comes from.
    pub(super) fn with_credentials(
        &self,
        py: Python<'py>,
        client_id: Argument<'py>,
        client_secret: Argument<'py>,
    ) -> PyResult<(Config, Option<Arc<Function>>)> {
        let mut config = self.config(py)?;
        if let Some(client_id) = client_id {
            config.set(OptionName::ClientId, value(py, OptionName::ClientId.row(), &client_id)?);
        }
        let Some(secret) = client_secret else { return Ok((config, None)) };
        let function = secret.is_callable().then(|| Function::new(secret.clone()));
        config.set(
            OptionName::ClientSecret,
            match &function {
                Some(function) => function.value(),
                None => value(py, OptionName::ClientSecret.row(), &secret)?,
            },
        );
        Ok((config, function))
    }

    /// The client secret and the keywords, with what the environment added to `config`.
    pub(super) fn with_values_of_env(
        &self,
        py: Python<'py>,
        config: &Config,
        client_secret: Argument<'py>,
    ) -> PyResult<(Argument<'py>, Bound<'py, PyDict>)> {
        let mut secret = client_secret;
        let keywords = self.keywords.map_or_else(|| Ok(PyDict::new(py)), |given| given.copy())?;
        for (option, value) in config.values().of_the_environment() {
            match option {
                OptionName::ClientId => {}
                OptionName::ClientSecret => secret = Some(python(py, value)?),
                _ => keywords.set_item(option.row().name, python(py, value)?)?,
            }
        }
        Ok((secret, keywords))
    }

    /// The callable for events.
    pub(super) fn on_event(&self) -> PyResult<Option<Py<PyAny>>> {
        let Some(keywords) = self.keywords else { return Ok(None) };
        let argument = keywords.get_item(ON_EVENT)?.filter(|argument| !argument.is_none());
        optional(ON_EVENT, &argument, callable)
    }

    /// What the keywords say; those that are None say nothing.
    pub(super) fn config(&self, py: Python<'py>) -> PyResult<Config> {
        let mut config = Config::default();
        for (keyword, argument) in self.keywords.into_iter().flatten() {
            let keyword = owned("a keyword", &keyword)?;
            if keyword == ON_EVENT && self.is_provider {
                continue;
            }
            let row = OptionName::from_name(&keyword).map(OptionName::row);
            let row = row.filter(|row| self.takes(row)).ok_or_else(|| {
                let text =
                    format!("{}() got an unexpected keyword argument '{keyword}'", self.name);
                PyTypeError::new_err(text)
            })?;
            if !argument.is_none() {
                config.set(row.option, held(|| value(py, row, &argument))?);
            }
        }
        Ok(config)
    }

    fn takes(&self, row: &OptionRow) -> bool {
        !row.is_positional() && (self.is_provider || row.scope != Scope::Provider)
    }
}

fn value(py: Python<'_>, row: &OptionRow, argument: &Bound<'_, PyAny>) -> PyResult<OptionValue> {
    let name = row.name;
    Ok(match row.kind {
        OptionType::Text | OptionType::Url => OptionValue::Text(owned(name, argument)?),
        OptionType::Secret => OptionValue::Secret(Secret::from_owned(owned(name, argument)?)),
        OptionType::Path => OptionValue::Path(path(name, argument)?),
        OptionType::Store => {
            let path = path(name, argument)?;
            let wrong = || Error::invalid("the store is not valid UTF-8; name another");
            let text = path.to_str().ok_or_else(|| raise(py, &wrong()))?;
            OptionValue::Text(text.to_owned())
        }
        OptionType::Hosts => OptionValue::Hosts(hosts(name, argument)?),
        OptionType::Duration => OptionValue::Duration(duration(py, name, argument)?),
        OptionType::Flag => OptionValue::Flag(flag(name, argument)?),
    })
}

/// The other way round, but for a function.
pub(super) fn python<'py>(py: Python<'py>, value: &OptionValue) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        OptionValue::Text(text) => text.into_pyobject(py)?.into_any(),
        OptionValue::Secret(secret) => secret.expose().into_pyobject(py)?.into_any(),
        OptionValue::Function(_) => unreachable!("no function is converted to Python"),
        OptionValue::Path(path) => path.into_pyobject(py)?.into_any(),
        OptionValue::Hosts(hosts) => hosts.into_pyobject(py)?.into_any(),
        OptionValue::Duration(duration) => duration.as_secs_f64().into_pyobject(py)?.into_any(),
        OptionValue::Flag(on) => on.into_pyobject(py)?.to_owned().into_any(),
    })
}

/// A time that a call may be given.
pub(super) fn time(
    py: Python<'_>,
    name: &str,
    argument: &Argument<'_>,
) -> PyResult<Option<Duration>> {
    optional(name, argument, |name, argument| duration(py, name, argument))
}

/// A number of seconds that a [`Duration`] can hold; `name` is that of the argument.
pub(super) fn duration(
    py: Python<'_>,
    name: &str,
    argument: &Bound<'_, PyAny>,
) -> PyResult<Duration> {
    Duration::try_from_secs_f64(number(name, argument)?).map_err(|_| {
        let text = format!("the {name} is not a number of seconds from 0 up; give one");
        raise(py, &Error::invalid(text))
    })
}
