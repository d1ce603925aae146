//! Starts threads of the library.

use std::ffi::CStr;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(feature = "sandbox")]
use std::thread::{Builder, JoinHandle};

#[cfg(feature = "sandbox")]
use super::system::thread::with_signals_blocked;
use super::system::thread::{create, number, set_name};

/// Said here, since the default would be looked up in the environment.
const STACK: usize = 1024 * 1024;
/// As large as that of a program's own thread, for what the program runs on one of ours.
const STACK_FOR_THE_PROGRAM: usize = 8 * 1024 * 1024;

/// Which of the threads that run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(usize);

/// Unlike the standard library's, it also works while a thread's local data is destroyed.
pub(crate) fn current() -> Id {
    Id(number())
}

/// Runs `work` on a thread that takes no signal meant for the host's own, and that nobody waits for.
///
/// Not by the standard library, which ends the process where it has no memory for a thread.
pub(crate) fn spawn<W: FnOnce() + Send + 'static>(name: &'static CStr, work: W) -> io::Result<()> {
    spawn_with(STACK, name, work)
}

/// As [`spawn`], for work that calls a function of the program's.
pub(crate) fn spawn_for_the_program<W: FnOnce() + Send + 'static>(
    name: &'static CStr,
    work: W,
) -> io::Result<()> {
    spawn_with(STACK_FOR_THE_PROGRAM, name, work)
}

fn spawn_with<W: FnOnce() + Send + 'static>(
    stack: usize,
    name: &'static CStr,
    work: W,
) -> io::Result<()> {
    #[cfg(test)]
    let Some(work) = simulated::unless_taken(work) else { return Ok(()) };
    create(stack, move || {
        set_name(name);
        // What it panics with has been told by the hook.
        let _ = catch_unwind(AssertUnwindSafe(work));
    })
}

/// As [`spawn`], for a thread that is waited for.
#[cfg(feature = "sandbox")]
pub(crate) fn spawn_joinable(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let thread = Builder::new().name(name.into()).stack_size(STACK);
    with_signals_blocked(|| thread.spawn(work))
}

/// Leaves work to a simulation, which runs it in its own time.
#[cfg(test)]
pub(crate) mod simulated {
    use std::cell::RefCell;
    use std::sync::Arc;

    pub(crate) type Work = Box<dyn FnOnce() + Send>;
    pub(crate) type Start = Arc<dyn Fn(Work) + Send + Sync>;

    thread_local! {
        static START: RefCell<Option<Start>> = const { RefCell::new(None) };
    }

    /// Runs `act`; what it spawns on this thread is given to `start`.
    pub(crate) fn with<T>(start: Start, act: impl FnOnce() -> T) -> T {
        let before = START.replace(Some(start));
        let _after = Restore(before);
        act()
    }

    struct Restore(Option<Start>);

    impl Drop for Restore {
        fn drop(&mut self) {
            START.set(self.0.take());
        }
    }

    pub(super) fn unless_taken<W: FnOnce() + Send + 'static>(work: W) -> Option<W> {
        let Some(start) = START.with_borrow(Clone::clone) else { return Some(work) };
        start(Box::new(work));
        None
    }
}
