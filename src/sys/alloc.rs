//! Wipes what is freed: the allocator of the C library and of the wheel.
//!
//! Secrets and tokens have types that wipe themselves; the buffers of TLS and HTTP do not. A Rust
//! program that uses the crate keeps its own allocator.

use std::alloc::{GlobalAlloc, Layout, System};

use super::{reserve, wipe};

/// The system's allocator, with memory zeroed before it is given back, and some of our own where the system
/// has none.
struct Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

// SAFETY: memory goes back to where it came from, with the layout it came with.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller vouches for the layout.
        or_from_the_reserve(unsafe { System.alloc(layout) }, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller vouches for the layout.
        or_from_the_reserve(unsafe { System.alloc_zeroed(layout) }, layout)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller gives back `layout.size()` bytes, no more than a layout may have, that nobody
        // uses any more; all of them may be written to, and `System` made them if they are not the
        // reserve's.
        unsafe {
            wipe::memory(memory, layout.size());
            if !reserve::give_back(memory, layout.size()) {
                System.dealloc(memory, layout);
            }
        }
    }

    // `realloc` is the default one: a new block, a copy, and `dealloc` of the old block. The system's
    // own would leave the old bytes behind.
}

#[inline]
fn or_from_the_reserve(memory: *mut u8, layout: Layout) -> *mut u8 {
    if memory.is_null() { reserve::take(layout.size(), layout.align()) } else { memory }
}
