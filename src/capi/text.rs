//! Reads text that comes in, and lends text that goes out.

use std::ffi::{CStr, c_char};

use super::failure::CallError;
use super::guard;
use crate::Error;
use crate::binding::wipe;

/// No argument is longer, in bytes: what is copied of it is little enough for the memory that is kept for
/// the time in which the system has none.
const LONGEST: usize = 64 * 1024;

/// The text behind a NUL-terminated argument.
///
/// # Safety
/// `text` must be null or a NUL-terminated string that lives for as long as the result is used.
pub(super) unsafe fn read<'a>(text: *const c_char, name: &str) -> Result<&'a str, Error> {
    if text.is_null() {
        return Err(guard::null(name));
    }
    // SAFETY: not null, and the caller vouches for the rest.
    let text = unsafe { CStr::from_ptr(text) };
    if text.count_bytes() > LONGEST {
        let longest = LONGEST / 1024;
        return Err(Error::invalid(format!("{name} is longer than {longest} KiB; shorten it")));
    }
    text.to_str().map_err(|_| Error::invalid(format!("{name} is not valid UTF-8")))
}

/// Copies of the texts behind an argument that is an array of them.
///
/// # Safety
/// `texts` must be null or `count` of what [`read`] takes.
pub(super) unsafe fn read_all(
    texts: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<String>, Error> {
    if texts.is_null() && count > 0 {
        return Err(guard::null(name));
    }
    // SAFETY: not null where there is one to read, and the caller vouches for the rest.
    (0..count).map(|i| Ok(unsafe { read(*texts.add(i), name) }?.to_owned())).collect()
}

/// Lends a text that ends in NUL; `*length` is its length without it.
///
/// # Safety
/// `length` must be null or valid for a write.
pub(super) unsafe fn lend(text_with_nul: &[u8], length: *mut usize) -> *const c_char {
    if !length.is_null() {
        // SAFETY: not null, and the caller vouches for the rest.
        unsafe { length.write(text_with_nul.len() - 1) };
    }
    text_with_nul.as_ptr().cast()
}

/// Copies a text that ends in NUL into a caller's buffer, all of it or nothing.
///
/// # Safety
/// `buffer` must be valid for writes of `size` bytes, and `length` null or valid for a write.
pub(super) unsafe fn copy(
    text_with_nul: &[u8],
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
) -> Result<(), CallError> {
    let needed = text_with_nul.len();
    let fits = needed <= size;
    if !length.is_null() {
        // SAFETY: not null, and the caller vouches for the rest.
        unsafe { length.write(if fits { needed - 1 } else { needed }) };
    }
    if !fits {
        return Err(CallError::buffer_too_small(size, needed, "CLAZAR_AUTHORIZATION_MAX"));
    }
    // SAFETY: the buffer has room for all of it, and cannot overlap a token's own memory.
    unsafe { buffer.copy_from_nonoverlapping(text_with_nul.as_ptr().cast(), needed) };
    wipe::vector_registers();
    Ok(())
}
