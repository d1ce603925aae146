//! Tells why a name lookup failed, of which the standard library keeps the system's words alone.

use std::ffi::CStr;
use std::io;

/// Whether the resolver says that it may go better at once (EAI_AGAIN).
pub(crate) fn may_pass(error: &io::Error) -> bool {
    // SAFETY: the system has a text for each of its numbers, which stays until the locale is changed, and
    // that is not for a program with several threads to do.
    let again = unsafe { CStr::from_ptr(libc::gai_strerror(libc::EAI_AGAIN)) };
    error.raw_os_error().is_none() && error.to_string().ends_with(&*again.to_string_lossy())
}
