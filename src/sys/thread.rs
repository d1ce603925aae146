//! Threads of the library.

use std::io;
use std::thread::{Builder, JoinHandle};

use super::signals;

/// Said here, since the default would be looked up in the environment.
const STACK: usize = 1024 * 1024;

/// Runs `work` on a thread that takes no signal meant for the host's own.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let thread = Builder::new().name("clazar-auth".into()).stack_size(STACK);
    signals::with_all_blocked(|| thread.spawn(work))
}
