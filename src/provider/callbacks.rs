//! Calls the program's own code, on a thread of the library.

use crate::error::catch_panic;
use crate::sys::fork;

/// Calls `call` with each of `items`, whatever it panics with. False in a child that it forked, which leaves the
/// rest to its parent.
pub(super) fn call_each<T>(items: impl IntoIterator<Item = T>, mut call: impl FnMut(T)) -> bool {
    let generation = fork::generation();
    for item in items {
        let _ = catch_panic(|| {
            call(item);
            Ok(())
        });
        if fork::generation() != generation {
            return false;
        }
    }
    true
}
