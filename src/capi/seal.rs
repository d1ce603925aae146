//! Seals the token, and takes a sealed one into use.

use super::failure::{CallError, clazar_error};
use super::guard;
use super::provider::clazar_provider;
use super::status::clazar_status;
use crate::binding::LONGEST_SEALED;

/// The size of a buffer that holds any sealed token.
pub const CLAZAR_SEALED_MAX: usize = 10240;

const _: () = assert!(CLAZAR_SEALED_MAX >= LONGEST_SEALED);

/// Copies the token, got as `clazar_provider_token` gets it and sealed with the client secret, into
/// a buffer of the caller's: for keeping anywhere. Only a provider with the same client, URL and
/// secret can take it, with `clazar_provider_unseal`.
///
/// @param provider a provider.
/// @param buffer gets the bytes, or nothing at all; may be NULL if `size` is 0.
/// @param size the buffer's size in bytes; `CLAZAR_SEALED_MAX` is always enough.
/// @param length set to the number of bytes; with `CLAZAR_ERR_BUFFER_TOO_SMALL` to the size that is
///   needed; with any other error to 0. May be NULL.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or any error; `CLAZAR_ERR_INVALID_ARGUMENT` also for a client secret of
///   fewer than 32 characters.
///
/// Thread-safe.
///
/// @since 0.1.0
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_seal(
    provider: *const clazar_provider,
    buffer: *mut u8,
    size: usize,
    length: *mut usize,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, a buffer of `size` bytes, and valid
    // out-parameters or NULL.
    unsafe {
        if !length.is_null() {
            length.write(0);
        }
        guard::run(error, || {
            let provider = guard::handle(provider, "provider")?;
            if size > 0 {
                guard::check_not_null(buffer, "buffer")?;
            }
            let blob = provider.provider.seal()?;
            if !length.is_null() {
                length.write(blob.len());
            }
            if blob.len() > size {
                return Err(CallError::buffer_too_small(size, blob.len(), "CLAZAR_SEALED_MAX"));
            }
            buffer.copy_from_nonoverlapping(blob.as_ptr(), blob.len());
            Ok(())
        })
    }
}

/// Takes the token of a blob that `clazar_provider_seal` made into use, unless the one in use expires
/// later.
///
/// @param provider a provider.
/// @param blob `size` bytes, which are copied.
/// @param size how many bytes `blob` has.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK`; `CLAZAR_ERR_INVALID_ARGUMENT` if the blob is not one of this client's and
///   its present secret's, or if its token has expired or was invalidated; or `CLAZAR_ERR_CLOSED`.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_provider_unseal(
    provider: *const clazar_provider,
    blob: *const u8,
    size: usize,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes a live provider or NULL, `size` bytes or NULL, and a valid
    // out-parameter or NULL.
    unsafe {
        guard::run(error, || {
            let provider = guard::handle(provider, "provider")?;
            Ok(provider.provider.unseal(guard::bytes(blob, size, "blob")?)?)
        })
    }
}
