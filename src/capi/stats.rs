//! Statistics.

use std::mem;
use std::time::Duration;

use super::failure::clazar_error;
use super::guard;
use super::provider::clazar_provider;
use super::status::clazar_status;
use crate::{Error, Stats};

/// What a provider did since it was made, and how it is now. Set `size` to
/// `sizeof(clazar_stats)` before the call; later versions may add fields at the end.
///
/// An exchange is counted when it has ended, with all its attempts, by its cause and its outcome.
#[repr(C)]
pub struct clazar_stats {
    /// In: the size of the struct, in bytes. Out: how many of them were filled in.
    pub size: usize,
    /// Exchanges because there was no live token, that brought one.
    pub empty_succeeded: u64,
    /// Exchanges because there was no live token, that failed.
    pub empty_failed: u64,
    /// Exchanges ahead of a live token's end, that brought the next.
    pub ahead_succeeded: u64,
    /// Exchanges ahead of a live token's end, that failed.
    pub ahead_failed: u64,
    /// Exchanges because `clazar_provider_refresh` was called, that brought a token.
    pub refresh_succeeded: u64,
    /// Exchanges because `clazar_provider_refresh` was called, that failed.
    pub refresh_failed: u64,
    /// Exchanges because a token was invalidated, that brought another.
    pub invalidated_succeeded: u64,
    /// Exchanges because a token was invalidated, that failed.
    pub invalidated_failed: u64,
    /// Calls that waited for an exchange.
    pub waited: u64,
    /// Tokens handed out past their refresh point.
    pub served_stale: u64,
    /// Tokens taken out of use by `clazar_provider_invalidate`.
    pub invalidations: u64,
    /// Tokens found in the store.
    pub store_hits: u64,
    /// Exchanges made because the store had no usable token.
    pub store_misses: u64,
    /// How long the token in memory still lives, in milliseconds; -1 without one.
    pub expires_in_ms: i64,
    /// For how long no exchange is started after a failure, in milliseconds; 0 if one may start.
    pub backoff_ms: i64,
}

impl clazar_stats {
    fn new(stats: &Stats) -> Self {
        Self {
            size: mem::size_of::<Self>(),
            empty_succeeded: stats.empty.succeeded,
            empty_failed: stats.empty.failed,
            ahead_succeeded: stats.ahead.succeeded,
            ahead_failed: stats.ahead.failed,
            refresh_succeeded: stats.refresh.succeeded,
            refresh_failed: stats.refresh.failed,
            invalidated_succeeded: stats.invalidated.succeeded,
            invalidated_failed: stats.invalidated.failed,
            waited: stats.waited,
            served_stale: stats.served_stale,
            invalidations: stats.invalidations,
            store_hits: stats.store_hits,
            store_misses: stats.store_misses,
            expires_in_ms: stats.expires_in.map_or(-1, milliseconds),
            backoff_ms: stats.backoff.map_or(0, milliseconds),
        }
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What a provider did so far, and how it is now.
///
/// @param provider a provider.
/// @param stats filled in as far as its `size` goes; nothing else of it is read.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` for a NULL or a `size` that is not set.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_stats(
    provider: *const clazar_provider,
    stats: *mut clazar_stats,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, a struct of the size that it says or NULL, and
    // a valid out-parameter or NULL.
    unsafe {
        guard::run(error, || {
            let provider = guard::handle(provider, "provider")?;
            guard::needed(stats, "stats")?;
            let size = (&raw const (*stats).size).read().min(mem::size_of::<clazar_stats>());
            if size < mem::size_of::<usize>() {
                Err(Error::invalid("stats->size is not set; set it to sizeof(clazar_stats)"))?;
            }
            let mut filled = clazar_stats::new(&provider.provider.stats());
            filled.size = size;
            stats.cast::<u8>().copy_from_nonoverlapping((&raw const filled).cast(), size);
            Ok(())
        })
    }
}
