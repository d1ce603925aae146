//! Maps pages that are not swapped where the system allows that. A full dump of the process has them.

use std::ptr::{self, NonNull};

use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, VirtualAlloc, VirtualFree, VirtualLock,
};

/// Zeroed; `None` if the system has none, or if `size` is 0.
pub(in crate::sys) fn map(size: usize) -> Option<NonNull<u8>> {
    // SAFETY: new pages take the place of none.
    let start =
        unsafe { VirtualAlloc(ptr::null(), size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE) };
    let pages = NonNull::new(start.cast())?;
    // SAFETY: the pages are the caller's own. If it fails, they are of use all the same.
    unsafe { VirtualLock(start, size) };
    Some(pages)
}

/// # Safety
/// They must be from [`map`], of that size, and used no more.
pub(in crate::sys) unsafe fn unmap(start: NonNull<u8>, _size: usize) {
    // SAFETY: the caller vouches for it; all pages of one allocation are given back at once.
    unsafe { VirtualFree(start.as_ptr().cast(), 0, MEM_RELEASE) };
}
