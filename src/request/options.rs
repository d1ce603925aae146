//! Collects what a caller may choose about a token request.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::env::Common;
use crate::error::Error;
use crate::interface::{OptionName, OptionRow, Scope, with_options};
use crate::option_values::{OptionValue, OptionValues};
use crate::trust::Trust;

/// How to reach the API. The defaults suit the real one.
///
/// ```
/// use std::time::Duration;
/// let options = clazar_auth::Options::default()
///     .timeout(Duration::from_secs(5))
///     .user_agent("billing-sync/2.1");
/// ```
///
/// Values are checked when the options are used, by
/// [`authenticate`](crate::authenticate) or by the provider's builder.
#[derive(Clone, Default)]
pub struct Options(OptionValues);

impl Options {
    /// The defaults, with the authentication URL from `CLAZAR_AUTH_URL` if that is set.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) if the variable is not UTF-8.
    pub fn from_env() -> Result<Self, Error> {
        let mut values = OptionValues::default();
        values.fill_from_env(is_ours)?;
        Ok(Self(values))
    }

    /// Those of `values` that belong to a token request.
    pub(crate) fn of(values: &OptionValues) -> Self {
        Self(values.filtered(is_ours))
    }

    pub(super) fn values(&self) -> &OptionValues {
        &self.0
    }

    /// The environment as far as it has a say.
    pub(crate) fn common(&self) -> Common {
        Common { are_read: self.0.flag(OptionName::TrustEnv).unwrap_or(true) }
    }

    pub(super) fn trust(&self) -> Result<Trust, Error> {
        let system_roots = self.0.flag(OptionName::SystemRoots).unwrap_or(true);
        Trust::new(self.0.path(OptionName::CaFile), self.common(), system_roots)
    }

    fn with(mut self, option: OptionName, value: OptionValue) -> Self {
        self.0.set(option, value);
        self
    }
}

fn is_ours(row: &OptionRow) -> bool {
    row.scope == Scope::Request
}

macro_rules! setters {
    ($($(#[doc = $doc:literal])+ $option:ident $name:ident $kind:ident $variable:literal $scope:ident $since:literal;)+) => {
        impl Options {
            $(setter! { $scope $kind $option $name [$($doc)+] })+
        }
    };
}

macro_rules! setter {
    (Request Flag $option:ident $name:ident [$($doc:literal)+]) => {
        $(#[doc = $doc])+
        pub fn $name(self, on: bool) -> Self {
            self.with(OptionName::$option, OptionValue::Flag(on))
        }
    };
    (Request Duration $option:ident $name:ident [$($doc:literal)+]) => {
        $(#[doc = $doc])+
        pub fn $name(self, duration: Duration) -> Self {
            self.with(OptionName::$option, OptionValue::Duration(duration))
        }
    };
    (Request Path $option:ident $name:ident [$($doc:literal)+]) => {
        $(#[doc = $doc])+
        pub fn $name(self, path: impl Into<PathBuf>) -> Self {
            self.with(OptionName::$option, OptionValue::Path(path.into()))
        }
    };
    (Request Url $option:ident $name:ident [$($doc:literal)+]) => {
        $(#[doc = $doc])+
        pub fn $name(self, text: impl Into<String>) -> Self {
            self.with(OptionName::$option, OptionValue::Text(text.into()))
        }
    };
    (Request Text $option:ident $name:ident [$($doc:literal)+]) => {
        setter! { Request Url $option $name [$($doc)+] }
    };
    (Credentials $($others:tt)+) => {};
    (Provider $($others:tt)+) => {};
}

with_options!(setters);

impl fmt::Debug for Options {
    /// Leaves out the URLs, which may carry a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("ca_file", &self.0.path(OptionName::CaFile))
            .field("timeout", &self.0.duration(OptionName::Timeout))
            .field("user_agent", &self.0.text(OptionName::UserAgent))
            .field("trust_env", &self.0.flag(OptionName::TrustEnv))
            .field("system_roots", &self.0.flag(OptionName::SystemRoots))
            .finish_non_exhaustive()
    }
}
