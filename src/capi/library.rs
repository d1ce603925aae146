//! Offers the functions that need no handle.

use std::ffi::{c_char, c_void};

use super::guard::{self, or_fallback};
use super::status;
use super::text;
use crate::binding::wipe;

/// The name of a status, such as "CLAZAR_ERR_TIMEOUT"; "unknown status" for any other number.
///
/// @param status a `clazar_status`, or any other number.
/// @return a text that stays valid for ever.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn clazar_status_name(status: i32) -> *const c_char {
    or_fallback(c"".as_ptr(), || status::name(status).as_ptr())
}

/// The version of the library, such as "0.1.0".
///
/// @return a text that stays valid for ever.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn clazar_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    // SAFETY: a null length is allowed.
    unsafe { text::lend(VERSION.as_bytes(), std::ptr::null_mut()) }
}

/// The version of the library as a number that grows with each version: `major << 16 | minor << 8 |
/// patch`, to be compared with the `CLAZAR_AUTH_VERSION_NUMBER` that a program was compiled with.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn clazar_version_number() -> u32 {
    const MAJOR: u32 = number(env!("CARGO_PKG_VERSION_MAJOR"));
    const MINOR: u32 = number(env!("CARGO_PKG_VERSION_MINOR"));
    const PATCH: u32 = number(env!("CARGO_PKG_VERSION_PATCH"));
    MAJOR << 16 | MINOR << 8 | PATCH
}

const fn number(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("a version has three numbers"),
    }
}

/// Overwrites memory with zeros, in a way that no compiler leaves out: for the caller's own copies
/// of a secret or a token. NULL is allowed and does nothing.
///
/// @param memory `size` bytes that nobody else uses at the same time, or NULL.
/// @param size how many bytes `memory` has.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_memzero(memory: *mut c_void, size: usize) {
    if !memory.is_null() {
        let size = size.min(guard::LARGEST);
        // SAFETY: not null; the caller passes `size` bytes of its own.
        unsafe { wipe::memory(memory.cast(), size) };
    }
}
