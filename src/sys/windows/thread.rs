//! Starts threads.

use std::ffi::{CStr, c_void};
use std::io;
use std::{mem, ptr};

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    GetModuleHandleW, GetProcAddress,
};
use windows_sys::Win32::System::Threading::{
    CreateThread, GetCurrentThread, GetCurrentThreadId, STACK_SIZE_PARAM_IS_A_RESERVATION,
};
use windows_sys::core::{PCWSTR, s, w};

/// Another number for each thread that runs now.
pub(in crate::sys) fn number() -> usize {
    // SAFETY: the call has no preconditions and no effect.
    unsafe { GetCurrentThreadId() as usize }
}

/// Runs `work`, which does not unwind, on a thread that nobody waits for.
pub(in crate::sys) fn create<W: FnOnce() + Send + 'static>(
    stack: usize,
    work: W,
) -> io::Result<()> {
    stay_loaded();
    let work = Box::into_raw(Box::new(work));
    let flags = STACK_SIZE_PARAM_IS_A_RESERVATION;
    // SAFETY: `run` takes what it is given here; null pointers stand for what is usual.
    let thread = unsafe {
        CreateThread(ptr::null(), stack, Some(run::<W>), work.cast(), flags, ptr::null_mut())
    };
    if thread.is_null() {
        let error = io::Error::last_os_error();
        // SAFETY: it was made above, and no thread has it.
        drop(unsafe { Box::from_raw(work) });
        return Err(error);
    }
    // SAFETY: the handle is this function's own; the thread goes on without it.
    unsafe { CloseHandle(thread) };
    Ok(())
}

/// Keeps the DLL that this code is in, whatever a program frees: a thread may run on.
fn stay_loaded() {
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    let within = stay_loaded as fn() as *const u16;
    let mut module = ptr::null_mut();
    // SAFETY: by these flags the second argument is an address, and no text.
    unsafe { GetModuleHandleExW(flags, within, &raw mut module) };
}

extern "system" fn run<W: FnOnce()>(work: *mut c_void) -> u32 {
    // SAFETY: `create` made it for this thread alone.
    let work = unsafe { Box::from_raw(work.cast::<W>()) };
    work();
    0
}

/// Where the system can do that: Windows 10 version 1607 has the function elsewhere than later ones, and the first
/// Windows 10 has it nowhere, so it is looked up.
pub(in crate::sys) fn set_name(name: &CStr) {
    type SetThreadDescription = unsafe extern "system" fn(HANDLE, PCWSTR) -> i32;
    let name: Vec<u16> = name.to_bytes_with_nul().iter().copied().map(u16::from).collect();
    // SAFETY: a function of this name is of this type; the handle is the calling thread's, and the name ends in NUL.
    unsafe {
        let found =
            GetProcAddress(GetModuleHandleW(w!("kernelbase.dll")), s!("SetThreadDescription"));
        if let Some(function) = found {
            let function = mem::transmute::<
                unsafe extern "system" fn() -> isize,
                SetThreadDescription,
            >(function);
            function(GetCurrentThread(), name.as_ptr());
        }
    }
}

/// Runs `work`: there are no signals.
#[cfg(feature = "sandbox")]
pub(in crate::sys) fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    work()
}
