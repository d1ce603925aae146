//! Collects the values of options, from a program or from the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::env;
use crate::error::Error;
use crate::interface::{OPTIONS, OptionName, OptionRow, OptionType};
use crate::secret::{Secret, SecretFunction};

/// What an option is set to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum OptionValue {
    Text(String),
    Secret(Secret),
    /// Where the secret comes from.
    Function(SecretFunction),
    Path(PathBuf),
    Hosts(Vec<String>),
    Duration(Duration),
    Flag(bool),
}

/// The options that are set. None of the values is checked yet.
#[derive(Clone, Default)]
pub(crate) struct OptionValues(BTreeMap<OptionName, Set>);

#[derive(Clone)]
struct Set {
    value: OptionValue,
    is_from_env: bool,
}

impl OptionValues {
    /// A secret takes the place of a file of the environment's, and the other way round.
    pub(crate) fn set(&mut self, option: OptionName, value: OptionValue) {
        if let Some(other) = alternative(option)
            && self.0.get(&other).is_some_and(|set| set.is_from_env)
        {
            self.0.remove(&other);
        }
        self.0.insert(option, Set { value, is_from_env: false });
    }

    /// Reads from the environment what is not set yet, of the options that are `wanted`.
    pub(crate) fn fill_from_env(
        &mut self,
        wanted: impl Fn(&OptionRow) -> bool,
    ) -> Result<(), Error> {
        let is_set = |option| {
            self.0.contains_key(&option)
                || alternative(option).is_some_and(|other| self.0.contains_key(&other))
        };
        let has_variable = |row: &&OptionRow| !row.variable.is_empty() && wanted(row);
        let unset: Vec<_> =
            OPTIONS.iter().filter(has_variable).filter(|row| !is_set(row.option)).collect();
        for row in unset {
            if let Some(text) = env::read(row.variable)? {
                let value = match row.kind {
                    OptionType::Secret => OptionValue::Secret(Secret::from_owned(text)),
                    OptionType::Path => OptionValue::Path(text.into()),
                    OptionType::Text | OptionType::Url | OptionType::Store => {
                        OptionValue::Text(text)
                    }
                    // `tests/generate` sees to that.
                    OptionType::Hosts | OptionType::Duration | OptionType::Flag => {
                        unreachable!("no variable gives {}", row.name)
                    }
                };
                self.0.insert(row.option, Set { value, is_from_env: true });
            }
        }
        Ok(())
    }

    /// Those that the program itself set.
    pub(crate) fn given(&self) -> impl Iterator<Item = (OptionName, &OptionValue)> {
        let given = self.0.iter().filter(|(_, set)| !set.is_from_env);
        given.map(|(option, set)| (*option, &set.value))
    }

    pub(crate) fn of_the_environment(&self) -> impl Iterator<Item = (OptionName, &OptionValue)> {
        let found = self.0.iter().filter(|(_, set)| set.is_from_env);
        found.map(|(option, set)| (*option, &set.value))
    }

    /// Those that are `wanted`.
    pub(crate) fn filtered(&self, wanted: impl Fn(&OptionRow) -> bool) -> Self {
        let values = self.0.iter().filter(|(option, _)| wanted(option.row()));
        Self(values.map(|(option, set)| (*option, set.clone())).collect())
    }

    pub(crate) fn text(&self, option: OptionName) -> Option<&str> {
        match self.get(option) {
            Some(OptionValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn secret(&self, option: OptionName) -> Option<&Secret> {
        match self.get(option) {
            Some(OptionValue::Secret(secret)) => Some(secret),
            _ => None,
        }
    }

    pub(crate) fn function(&self, option: OptionName) -> Option<&SecretFunction> {
        match self.get(option) {
            Some(OptionValue::Function(function)) => Some(function),
            _ => None,
        }
    }

    pub(crate) fn path(&self, option: OptionName) -> Option<&Path> {
        match self.get(option) {
            Some(OptionValue::Path(path)) => Some(path),
            _ => None,
        }
    }

    pub(crate) fn hosts(&self, option: OptionName) -> Option<&[String]> {
        match self.get(option) {
            Some(OptionValue::Hosts(hosts)) => Some(hosts),
            _ => None,
        }
    }

    pub(crate) fn duration(&self, option: OptionName) -> Option<Duration> {
        match self.get(option) {
            Some(OptionValue::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, option: OptionName) -> Option<bool> {
        match self.get(option) {
            Some(OptionValue::Flag(on)) => Some(*on),
            _ => None,
        }
    }

    /// What an error calls an option: the name of the argument, or of the variable that it came from.
    pub(crate) fn named_by(&self, option: OptionName) -> &'static str {
        let is_from_env = self.0.get(&option).is_some_and(|set| set.is_from_env);
        if is_from_env { option.row().variable } else { option.row().name }
    }

    fn get(&self, option: OptionName) -> Option<&OptionValue> {
        self.0.get(&option).map(|set| &set.value)
    }
}

/// Of a secret and the file that holds one, only one is used.
fn alternative(option: OptionName) -> Option<OptionName> {
    match option {
        OptionName::ClientSecret => Some(OptionName::ClientSecretFile),
        OptionName::ClientSecretFile => Some(OptionName::ClientSecret),
        _ => None,
    }
}
