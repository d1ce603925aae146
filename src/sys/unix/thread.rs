//! Starts threads that take no signal.

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use super::signals;

/// Another number for each thread that runs now. In musl a pthread_t is a pointer.
pub(in crate::sys) fn number() -> usize {
    // SAFETY: the call has no preconditions and no effect.
    unsafe { libc::pthread_self() as usize }
}

/// Runs `work`, which does not unwind, on a thread that nobody waits for.
pub(in crate::sys) fn create<W: FnOnce() + Send + 'static>(
    stack: usize,
    work: W,
) -> io::Result<()> {
    let work = Box::into_raw(Box::new(work));
    match signals::with_all_blocked(|| create_detached(stack, run::<W>, work.cast())) {
        0 => Ok(()),
        error => {
            // SAFETY: it was made above, and no thread has it.
            drop(unsafe { Box::from_raw(work) });
            Err(io::Error::from_raw_os_error(error))
        }
    }
}

extern "C" fn run<W: FnOnce()>(work: *mut c_void) -> *mut c_void {
    // SAFETY: `create` made it for this thread alone.
    let work = unsafe { Box::from_raw(work.cast::<W>()) };
    work();
    ptr::null_mut()
}

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

/// An error number, or 0.
fn create_detached(stack: usize, start: Start, argument: *mut c_void) -> c_int {
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
        let function = std::mem::transmute::<*mut c_void, Option<LeastStack>>(found);
        function.map_or(0, |least_stack| least_stack(attributes))
    }
}

/// Elsewhere a stack has no thread-local data in it.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
unsafe fn least_stack(_: *const libc::pthread_attr_t) -> usize {
    0
}

#[cfg(target_os = "linux")]
pub(in crate::sys) fn set_name(name: &CStr) {
    // SAFETY: the calling thread is alive, and the name ends in NUL.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr()) };
}

#[cfg(target_vendor = "apple")]
pub(in crate::sys) fn set_name(name: &CStr) {
    // SAFETY: the name ends in NUL.
    unsafe { libc::pthread_setname_np(name.as_ptr()) };
}

/// Runs `work`; a thread that it starts takes no signal.
#[cfg(feature = "sandbox")]
pub(in crate::sys) fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    signals::with_all_blocked(work)
}
