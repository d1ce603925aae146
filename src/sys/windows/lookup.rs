//! Tells why a name lookup failed.

use std::io;

use windows_sys::Win32::Networking::WinSock::WSATRY_AGAIN;

/// Whether the resolver says that it may go better at once.
pub(crate) fn may_pass(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSATRY_AGAIN)
}
