//! Wraps the operating system: all `unsafe` below the bindings is here, behind safe functions.
#![allow(unsafe_code)]

#[cfg(any(feature = "capi", feature = "python"))]
mod alloc;
pub(crate) mod cancel;
pub(crate) mod clock;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod locked;
pub(crate) mod lookup;
pub(crate) mod memory;
pub(crate) mod per_process;
pub(crate) mod privileges;
#[cfg(any(feature = "capi", feature = "python", test))]
mod reserve;
pub(crate) mod signals;
pub(crate) mod socket;
pub(crate) mod thread;
#[cfg(feature = "python")]
pub(crate) mod thread_end;
pub(crate) mod wipe;
