//! Environment variables, read where a constructor says so and nowhere else, and never in a set-user-ID
//! process.

use std::env::{self, VarError};

use crate::Error;
use crate::sys::privileges;

/// The variable's text; an empty one counts as unset, and so does each one in a set-user-ID process.
pub(crate) fn read(name: &str) -> Result<Option<String>, Error> {
    if privileges::are_raised() {
        return Ok(None);
    }
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Error::invalid(format!("{name} is not valid UTF-8; set it again")))
        }
    }
}

/// The first of `names` that is set.
pub(crate) fn read_any(names: &[&str]) -> Result<Option<String>, Error> {
    for name in names {
        if let Some(text) = read(name)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// Why `names` have no value: what follows "since".
pub(crate) fn why_unset(names: &str) -> String {
    if privileges::are_raised() {
        return "the environment is not read in a set-user-ID process".to_owned();
    }
    format!("{names} are unset")
}

/// How a missing setting may be given besides: what follows "pass one".
pub(crate) fn or_set(names: &str) -> String {
    if privileges::are_raised() {
        return format!(", since {}", why_unset(names));
    }
    format!(" or set {names}")
}
