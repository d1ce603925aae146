//! A host's own static library, in Rust: with a standard library, an allocator, threads and panics of
//! its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(1, Ordering::SeqCst);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(1, Ordering::SeqCst);
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// 0 if a panic on a thread of its own is caught, and its allocator is its own.
#[no_mangle]
pub extern "C" fn host_work() -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    let words: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let caught = std::thread::spawn(move || assert!(words.is_empty())).join().is_err();
    i32::from(!caught)
}

/// How many allocations of this library are alive.
#[no_mangle]
pub extern "C" fn host_allocations() -> usize {
    LIVE.load(Ordering::SeqCst)
}
