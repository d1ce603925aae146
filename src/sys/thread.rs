//! Starts threads of the library.

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::{self, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(feature = "sandbox")]
use std::thread::{Builder, JoinHandle};

use super::signals;

/// Said here, since the default would be looked up in the environment.
const STACK: usize = 1024 * 1024;
/// As large as that of a program's own thread, for what the program runs on one of ours.
const STACK_FOR_THE_PROGRAM: usize = 8 * 1024 * 1024;

/// Which of the threads that run now. In musl a pthread_t is a pointer, which could go to no other thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(usize);

/// Unlike the standard library's, it also works while a thread's local data is destroyed.
pub(crate) fn current() -> Id {
    // SAFETY: the call has no preconditions and no effect.
    Id(unsafe { libc::pthread_self() } as usize)
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
    let task = Box::into_raw(Box::new(Task { name, work }));
    match signals::with_all_blocked(|| create(stack, run::<W>, task.cast())) {
        0 => Ok(()),
        error => {
            // SAFETY: it was made above, and no thread has it.
            drop(unsafe { Box::from_raw(task) });
            Err(io::Error::from_raw_os_error(error))
        }
    }
}

struct Task<W> {
    name: &'static CStr,
    work: W,
}

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

/// Starts a thread with `argument`; an error number, or 0.
fn create(stack: usize, start: Start, argument: *mut c_void) -> c_int {
    let mut attributes = MaybeUninit::uninit();
    let mut thread = MaybeUninit::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: `pthread_attr_init` initialises the attributes, which are destroyed after the last use; a
    // detached thread's id is not used again.
    unsafe {
        let error = libc::pthread_attr_init(attributes);
        if error != 0 {
            return error;
        }
        libc::pthread_attr_setstacksize(attributes, stack + least_stack(attributes));
        libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED);
        let error = libc::pthread_create(thread.as_mut_ptr(), attributes, start, argument);
        libc::pthread_attr_destroy(attributes);
        error
    }
}

/// What glibc takes of a stack for itself, such as the thread-local data of all that is loaded, however much
/// that is.
///
/// # Safety
/// The attributes must be initialised.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
unsafe fn least_stack(attributes: *const libc::pthread_attr_t) -> usize {
    type LeastStack = unsafe extern "C" fn(*const libc::pthread_attr_t) -> usize;
    // SAFETY: the name ends in NUL, and a function of this name is of this type; null is none.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"__pthread_get_minstack".as_ptr());
        let function = mem::transmute::<*mut c_void, Option<LeastStack>>(found);
        function.map_or(0, |least_stack| least_stack(attributes))
    }
}

/// Elsewhere a stack has no thread-local data in it.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
unsafe fn least_stack(_: *const libc::pthread_attr_t) -> usize {
    0
}

extern "C" fn run<W: FnOnce()>(task: *mut c_void) -> *mut c_void {
    // SAFETY: `spawn` made it for this thread alone.
    let task = unsafe { Box::from_raw(task.cast::<Task<W>>()) };
    set_name(task.name);
    // What it panics with has been told by the hook.
    let _ = catch_unwind(AssertUnwindSafe(task.work));
    std::ptr::null_mut()
}

#[cfg(target_os = "linux")]
fn set_name(name: &CStr) {
    // SAFETY: the calling thread is alive, and the name ends in NUL.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr()) };
}

#[cfg(target_vendor = "apple")]
fn set_name(name: &CStr) {
    // SAFETY: the name ends in NUL.
    unsafe { libc::pthread_setname_np(name.as_ptr()) };
}

/// As [`spawn`], for a thread that is waited for.
#[cfg(feature = "sandbox")]
pub(crate) fn spawn_joinable(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let thread = Builder::new().name(name.into()).stack_size(STACK);
    signals::with_all_blocked(|| thread.spawn(work))
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
