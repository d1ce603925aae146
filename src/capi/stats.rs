//! Copies statistics out.

use std::mem;

use super::failure::clazar_error;
use super::guard;
use super::provider::clazar_provider;
use super::stats_fields::clazar_stats;
use super::status::clazar_status;
use crate::Error;

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
#[must_use]
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
            guard::check_not_null(stats, "stats")?;
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
