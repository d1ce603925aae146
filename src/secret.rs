//! Holds a client secret.

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
