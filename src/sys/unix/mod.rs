//! The systems that follow POSIX: Linux and macOS.

pub(crate) mod authorities;
pub(crate) mod cancel;
pub(super) mod clock;
pub(super) mod file;
pub(crate) mod folder;
pub(crate) mod fork;
pub(crate) mod lookup;
pub(super) mod pages;
pub(crate) mod privileges;
mod signals;
pub(super) mod thread;
