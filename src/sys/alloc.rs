//! Wipes what is freed: the allocator of the C library and of the wheel.
//!
//! Secrets and tokens have types that wipe themselves; the buffers of TLS and HTTP do not. A Rust
//! program that uses the crate keeps its own allocator.

use std::alloc::{GlobalAlloc, Layout, System};

use super::wipe;

/// The system's allocator, with memory zeroed before it is given back.
struct Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

// SAFETY: all memory comes from `System` and goes back to it with the layout it came with.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller vouches for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller vouches for the layout.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller gives back `layout.size()` bytes, no more than a layout may have, that nobody
        // uses any more; all of them may be written to, and `System` made them.
        unsafe {
            wipe::memory(memory, layout.size());
            System.dealloc(memory, layout);
        }
    }

    // `realloc` is the default one: a new block, a copy, and `dealloc` of the old block. The system's
    // own would leave the old bytes behind.
}
