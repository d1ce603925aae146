//! Holds a thread that somebody ends, with `pthread_exit`, where nothing of ours may be dropped.

/// Runs `call`; if it calls `pthread_exit`, the thread stays there for ever, and drops nothing.
///
/// With glibc that function unwinds the stack, and frames of Rust that call C functions are not made for that.
/// So glibc is asked to call a function before it unwinds the first one. Calls within calls, and those of greenlets
/// that take turns on a thread, are held as well.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn held<T>(call: impl FnOnce() -> T) -> T {
    gnu::held(call)
}

/// Elsewhere `pthread_exit` does not unwind, and neither does what Windows has in its place.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn held<T>(call: impl FnOnce() -> T) -> T {
    call()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod gnu {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::mem::MaybeUninit;
    use std::{ptr, thread};

    /// `struct _pthread_cleanup_buffer` of `<pthread.h>`.
    #[repr(C)]
    struct Buffer {
        routine: extern "C" fn(*mut c_void),
        argument: *mut c_void,
        cancel_type: c_int,
        previous: *mut Buffer,
    }

    unsafe extern "C" {
        fn _pthread_cleanup_push(
            buffer: *mut Buffer,
            routine: extern "C" fn(*mut c_void),
            argument: *mut c_void,
        );
        fn _pthread_cleanup_pop(buffer: *mut Buffer, execute: c_int);
    }

    // One buffer serves all calls of a thread: those of greenlets do not end in the opposite order.
    thread_local! {
        static CALLS: Cell<usize> = const { Cell::new(0) };
        static BUFFER: Cell<*mut Buffer> = const { Cell::new(ptr::null_mut()) };
    }

    /// Takes the routine back after the last call, if that panics too.
    struct Leave;

    impl Drop for Leave {
        // Once, not in each of the callers: it makes the library smaller.
        #[inline(never)]
        fn drop(&mut self) {
            CALLS.set(CALLS.get() - 1);
            if CALLS.get() == 0 {
                pop(BUFFER.replace(ptr::null_mut()));
            }
        }
    }

    #[inline(never)]
    fn enter() -> Leave {
        if CALLS.get() == 0 {
            BUFFER.set(push());
        }
        CALLS.set(CALLS.get() + 1);
        Leave
    }

    pub(super) fn held<T>(call: impl FnOnce() -> T) -> T {
        let _leave = enter();
        call()
    }

    fn push() -> *mut Buffer {
        // A routine is called when the frame of its buffer is left. What is not on this stack was left already,
        // for glibc, by the first frame.
        let buffer = Box::into_raw(Box::new(MaybeUninit::<Buffer>::uninit())).cast();
        // SAFETY: the buffer stays where it is until it is popped; if it never is, it is never freed.
        unsafe { _pthread_cleanup_push(buffer, stay, ptr::null_mut()) };
        buffer
    }

    fn pop(buffer: *mut Buffer) {
        // SAFETY: this thread pushed the buffer, and has popped all that it pushed later; it is a box's.
        unsafe {
            _pthread_cleanup_pop(buffer, 0);
            drop(Box::from_raw(buffer.cast::<MaybeUninit<Buffer>>()));
        }
    }

    extern "C" fn stay(_: *mut c_void) {
        loop {
            thread::park();
        }
    }
}
