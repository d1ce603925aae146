//! Documentation of the core.

use crate::interface::Scope;
use crate::words::wrapped;
use crate::{parts, variables};

const WIDTH: usize = 100;

/// Which environment variables are read, where something is made from them.
pub fn generate() {
    let named = |scope| variables(|row| row.scope == scope, |name| format!("`{name}`"));
    for (path, text) in [
        (
            "src/credentials.rs",
            format!(
                "Credentials from {}, read now and never again (the file itself as \
                 [`from_file`](Self::from_file) says).",
                named(Scope::Credentials)
            ),
        ),
        (
            "src/request/options.rs",
            format!(
                "The defaults, but for what the environment says in {}.",
                named(Scope::Request)
            ),
        ),
        (
            "src/provider/mod.rs",
            format!(
                "A provider from [`Credentials::from_env`], [`Options::from_env`] and {}; \
                 [`Store::parse`] reads the name of a store.",
                named(Scope::Provider)
            ),
        ),
    ] {
        parts(path, &[("variables", wrapped(&text, "    /// ", WIDTH))]);
    }
}
