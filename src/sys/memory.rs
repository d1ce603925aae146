//! Tells whether the system is short of memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// The largest piece that most token requests ask for.
const PIECE: Layout = Layout::new::<[u8; 16 * 1024]>();
/// All that one asks for.
#[cfg(any(feature = "capi", feature = "python"))]
const WHOLE: Layout = Layout::new::<[u8; 256 * 1024]>();

/// Whether a token request that is made now may fail for want of memory.
pub(crate) fn is_short() -> bool {
    !has(PIECE) || must_do_without_reserve()
}

/// Whether too little is left of what is kept for that time, and the system has not enough. Never for long
/// once there is memory, whatever is still in use of it.
#[cfg(any(feature = "capi", feature = "python"))]
fn must_do_without_reserve() -> bool {
    super::reserve::is_half_taken() && !has(WHOLE)
}

/// A Rust program keeps its own allocator.
#[cfg(not(any(feature = "capi", feature = "python")))]
fn must_do_without_reserve() -> bool {
    false
}

fn has(layout: Layout) -> bool {
    // SAFETY: the layout has a size; what comes from the system goes back to it, and is not used.
    unsafe {
        // Without the black box, the compiler leaves out both calls.
        let memory = black_box(System.alloc(layout));
        if !memory.is_null() {
            System.dealloc(memory, layout);
        }
        !memory.is_null()
    }
}
