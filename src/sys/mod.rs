//! Wraps the operating system: all `unsafe` below the bindings is here, behind safe functions.
//!
//! What differs between systems is in a folder of each, under the same names.
#![allow(unsafe_code)]

// What is fuzzed has one that counts.
#[cfg(all(any(feature = "capi", feature = "python"), not(fuzzing)))]
mod alloc;
pub(crate) mod clock;
pub(crate) mod file;
mod found;
pub(crate) mod locked;
pub(crate) mod memory;
pub(crate) mod per_process;
#[cfg(any(feature = "capi", feature = "python", test))]
mod reserve;
pub(crate) mod socket;
mod system_roots;
pub(crate) mod thread;
#[cfg(feature = "python")]
pub(crate) mod thread_end;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
pub(crate) mod wipe;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

pub(crate) use self::system::{authorities, cancel, folder, fork, lookup, privileges};
