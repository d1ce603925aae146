//! Statistics.

use pyo3::prelude::*;

/// What a provider did since it was made, and how it is now.
#[pyclass(frozen, get_all, eq, module = "clazar_auth")]
#[derive(PartialEq)]
pub(super) struct Stats {
    /// Exchanges because there was no live token.
    empty: Exchanges,
    /// Exchanges ahead of a live token's end.
    ahead: Exchanges,
    /// Exchanges because refresh() was called.
    refresh: Exchanges,
    /// Exchanges because a token was invalidated.
    invalidated: Exchanges,
    /// Calls that waited for an exchange.
    waited: u64,
    /// Tokens handed out past their refresh point.
    served_stale: u64,
    /// Tokens taken out of use by invalidate().
    invalidations: u64,
    /// Tokens found in the store.
    store_hits: u64,
    /// Exchanges made because the store had no usable token.
    store_misses: u64,
    /// Seconds that the token in memory still lives; None without one.
    expires_in: Option<f64>,
    /// Seconds for which no exchange is started after a failure; None if one may start.
    backoff: Option<f64>,
}

/// Exchanges that have ended, each with all its attempts.
#[pyclass(frozen, get_all, eq, module = "clazar_auth")]
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Exchanges {
    /// Those that brought a token.
    succeeded: u64,
    /// Those that did not.
    failed: u64,
}

impl From<crate::Exchanges> for Exchanges {
    fn from(exchanges: crate::Exchanges) -> Self {
        Self { succeeded: exchanges.succeeded, failed: exchanges.failed }
    }
}

impl From<crate::Stats> for Stats {
    fn from(stats: crate::Stats) -> Self {
        Self {
            empty: stats.empty.into(),
            ahead: stats.ahead.into(),
            refresh: stats.refresh.into(),
            invalidated: stats.invalidated.into(),
            waited: stats.waited,
            served_stale: stats.served_stale,
            invalidations: stats.invalidations,
            store_hits: stats.store_hits,
            store_misses: stats.store_misses,
            expires_in: stats.expires_in.map(|left| left.as_secs_f64()),
            backoff: stats.backoff.map(|left| left.as_secs_f64()),
        }
    }
}

#[pymethods]
impl Exchanges {
    fn __repr__(&self) -> String {
        format!("Exchanges(succeeded={}, failed={})", self.succeeded, self.failed)
    }
}

#[pymethods]
impl Stats {
    fn __repr__(&self) -> String {
        let seconds = |left: Option<f64>| left.map_or("None".into(), |left| format!("{left:.3}"));
        format!(
            "Stats(empty={}, ahead={}, refresh={}, invalidated={}, waited={}, served_stale={}, \
             invalidations={}, store_hits={}, store_misses={}, expires_in={}, backoff={})",
            self.empty.__repr__(),
            self.ahead.__repr__(),
            self.refresh.__repr__(),
            self.invalidated.__repr__(),
            self.waited,
            self.served_stale,
            self.invalidations,
            self.store_hits,
            self.store_misses,
            seconds(self.expires_in),
            seconds(self.backoff),
        )
    }
}
