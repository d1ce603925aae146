//! Reads environment variables where a constructor says so and nowhere else, and never in a set-user-ID
//! process.

use std::env::{self, VarError};

use crate::error::Error;
use crate::sys::privileges;

const NOT_READ: &str = "the environment is not read in a set-user-ID process";

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

/// The variables that belong to no program alone, such as `HTTPS_PROXY`: a program may turn them off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    pub(crate) are_read: bool,
}

impl Common {
    /// As [`read`].
    pub(crate) fn read(self, name: &str) -> Result<Option<String>, Error> {
        if self.are_read { read(name) } else { Ok(None) }
    }

    /// The first of `names` that is set.
    pub(crate) fn read_any(self, names: &[&str]) -> Result<Option<String>, Error> {
        for name in names {
            if let Some(text) = self.read(name)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Why none of `names` has a value: what follows "since".
    pub(crate) fn why_unset(self, names: &str) -> String {
        if privileges::are_raised() {
            NOT_READ.to_owned()
        } else if self.are_read {
            format!("{names} are unset")
        } else {
            format!("{names} are not read with trust_env off")
        }
    }
}

/// How a missing option may be given besides: what follows "pass one".
pub(crate) fn or_set(names: &str) -> String {
    if privileges::are_raised() {
        return format!(", since {NOT_READ}");
    }
    format!(" or set {names}")
}
