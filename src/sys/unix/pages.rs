//! Maps pages that are neither swapped nor dumped where the system allows that.

use std::ptr::{self, NonNull};

/// Zeroed; `None` if the system has none, or if `size` is 0.
pub(in crate::sys) fn map(size: usize) -> Option<NonNull<u8>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANON;
    // SAFETY: a new mapping takes the place of none.
    let start = unsafe { libc::mmap(ptr::null_mut(), size, access, kind, -1, 0) };
    if start == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the mapping is the caller's own. If either call fails, it is of use all the same.
    unsafe {
        libc::mlock(start, size);
        #[cfg(target_os = "linux")]
        libc::madvise(start, size, libc::MADV_DONTDUMP);
    }
    NonNull::new(start.cast())
}

/// # Safety
/// They must be from [`map`], of that size, and used no more.
pub(in crate::sys) unsafe fn unmap(start: NonNull<u8>, size: usize) {
    // SAFETY: the caller vouches for it.
    unsafe { libc::munmap(start.as_ptr().cast(), size) };
}
