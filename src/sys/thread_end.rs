//! Holds a thread that somebody ends, with `pthread_exit`, where nothing of ours may be dropped.

/// Runs `call`; if it calls `pthread_exit`, the thread stays there for ever, and drops nothing.
///
/// With glibc that function unwinds the stack, and frames of Rust that call C functions are not made for that.
/// So glibc is asked to call a function before it unwinds the first one.
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

    /// Takes the routine back, if `call` panics too.
    struct Pop(*mut Buffer);

    impl Drop for Pop {
        fn drop(&mut self) {
            // SAFETY: this thread pushed the buffer, and has popped all that it pushed later; it is a box's.
            unsafe {
                _pthread_cleanup_pop(self.0, 0);
                drop(Box::from_raw(self.0.cast::<MaybeUninit<Buffer>>()));
            }
        }
    }

    pub(super) fn held<T>(call: impl FnOnce() -> T) -> T {
        // A routine is called when the frame of its buffer is left. What is not on this stack was left already,
        // for glibc, by the first frame.
        let buffer = Box::into_raw(Box::new(MaybeUninit::<Buffer>::uninit())).cast();
        let _pop = Pop(buffer);
        // SAFETY: the buffer stays where it is until it is popped.
        unsafe { _pthread_cleanup_push(buffer, stay, ptr::null_mut()) };
        call()
    }

    extern "C" fn stay(_: *mut c_void) {
        loop {
            thread::park();
        }
    }
}
