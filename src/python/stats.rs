//! Statistics.

use pyo3::prelude::*;

/// What a provider did since it was made, and how it is now.
///
/// >>> provider.stats()
/// Stats(empty=Exchanges(succeeded=0, failed=0), ...)
#[pyclass(frozen, get_all, eq, module = "clazar_auth")]
#[derive(PartialEq)]
pub(super) struct Stats {
    /// Exchanges: Exchanges because there was no live token.
    ///
    /// >>> _ = provider.token()
    /// >>> provider.stats().empty
    /// Exchanges(succeeded=1, failed=0)
    empty: Exchanges,
    /// Exchanges: Exchanges ahead of a live token's end.
    ///
    /// >>> provider.stats().ahead
    /// Exchanges(succeeded=0, failed=0)
    ahead: Exchanges,
    /// Exchanges: Exchanges because refresh() was called.
    ///
    /// >>> _ = provider.refresh()
    /// >>> provider.stats().refresh
    /// Exchanges(succeeded=1, failed=0)
    refresh: Exchanges,
    /// Exchanges: Exchanges because a token was invalidated.
    ///
    /// >>> provider.invalidate(provider.token())
    /// >>> _ = provider.token()
    /// >>> provider.stats().invalidated
    /// Exchanges(succeeded=1, failed=0)
    invalidated: Exchanges,
    /// int: Calls that waited for an exchange.
    ///
    /// >>> _ = provider.token()
    /// >>> provider.stats().waited
    /// 1
    waited: u64,
    /// int: Tokens handed out past their refresh point.
    ///
    /// >>> provider.stats().served_stale
    /// 0
    served_stale: u64,
    /// int: Tokens taken out of use by invalidate().
    ///
    /// >>> provider.invalidate(provider.token())
    /// >>> provider.stats().invalidations
    /// 1
    invalidations: u64,
    /// int: Tokens found in the store.
    ///
    /// >>> provider.stats().store_hits
    /// 0
    store_hits: u64,
    /// int: Exchanges made because the store had no usable token.
    ///
    /// >>> provider.stats().store_misses
    /// 0
    store_misses: u64,
    /// float or None: Seconds that the token in memory still lives; None without one.
    ///
    /// >>> provider.stats().expires_in is None
    /// True
    expires_in: Option<f64>,
    /// float or None: Seconds for which no exchange is started after a failure; None if one may
    /// start.
    ///
    /// >>> provider.stats().backoff is None
    /// True
    backoff: Option<f64>,
}

/// Exchanges that have ended, each with all its attempts.
///
/// >>> provider.stats().empty
/// Exchanges(succeeded=0, failed=0)
#[pyclass(frozen, get_all, eq, module = "clazar_auth")]
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Exchanges {
    /// int: Those that brought a token.
    ///
    /// >>> _ = provider.token()
    /// >>> provider.stats().empty.succeeded
    /// 1
    succeeded: u64,
    /// int: Those that did not.
    ///
    /// >>> provider.stats().empty.failed
    /// 0
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
