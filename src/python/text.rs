//! Keeps the `str` of the token in use, which is made once and handed out again.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::binding::CachedToken;
use crate::{AccessToken, TokenProvider};

#[derive(Default)]
pub(super) struct Text(ArcSwapOption<Made>);

struct Made {
    of: Arc<CachedToken>,
    authorization: Py<PyString>,
}

impl Text {
    /// What was made, if its token is still fresh.
    pub(super) fn if_fresh(
        &self,
        py: Python<'_>,
        provider: &TokenProvider,
    ) -> Option<Py<PyString>> {
        let made = self.0.load();
        let made = made.as_ref().filter(|made| provider.is_fresh(&made.of))?;
        Some(made.authorization.clone_ref(py))
    }

    /// The authorization of `token`, cached if that is the token in use.
    pub(super) fn of(
        &self,
        py: Python<'_>,
        provider: &TokenProvider,
        token: &Arc<AccessToken>,
    ) -> Py<PyString> {
        let authorization = PyString::new(py, token.authorization()).unbind();
        let made =
            provider.hold(token).map(|of| Made { of, authorization: authorization.clone_ref(py) });
        self.0.store(made.map(Arc::new));
        authorization
    }

    pub(super) fn forget(&self) {
        self.0.store(None);
    }
}
