//! Starts threads of the library.

use std::io;
use std::thread::{Builder, JoinHandle};

use super::signals;

/// Said here, since the default would be looked up in the environment.
const STACK: usize = 1024 * 1024;

/// Which of the threads that run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(libc::pthread_t);

/// Unlike the standard library's, it also works while a thread's local data is destroyed.
pub(crate) fn current() -> Id {
    // SAFETY: the call has no preconditions and no effect.
    Id(unsafe { libc::pthread_self() })
}

/// Runs `work` on a thread that takes no signal meant for the host's own.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let thread = Builder::new().name("clazar-auth".into()).stack_size(STACK);
    signals::with_all_blocked(|| thread.spawn(work))
}
