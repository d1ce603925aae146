//! Holds a client secret, or the function that it comes from.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::sys::locked::LockedText;

/// A client secret: one copy, wiped when the last owner drops it.
#[derive(Clone)]
pub(crate) struct Secret(Arc<LockedText>);

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(Arc::new(LockedText::concat(&[text])))
    }

    /// As [`new`](Self::new), and wipes `text`.
    pub(crate) fn from_owned(text: impl Into<String>) -> Self {
        Self::new(&Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// What a program's own function for the secret fails with.
pub(crate) type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// A program's own function for the secret. It may block.
#[derive(Clone)]
pub(crate) struct SecretFunction(Arc<dyn Fn() -> Result<Secret, SourceError> + Send + Sync>);

impl SecretFunction {
    pub(crate) fn new(
        function: impl Fn() -> Result<Secret, SourceError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(function))
    }

    pub(crate) fn call(&self) -> Result<Secret, SourceError> {
        (self.0)()
    }
}

impl PartialEq for SecretFunction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SecretFunction {}

impl fmt::Debug for SecretFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretFunction")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
