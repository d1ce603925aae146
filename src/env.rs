//! Environment variables, read where a constructor says so and nowhere else.

use std::env::{self, VarError};

use crate::Error;

/// The variable's text; an empty one counts as unset.
pub(crate) fn read(name: &str) -> Result<Option<String>, Error> {
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
