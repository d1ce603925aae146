//! Whatever a store holds, opening it is a miss or a token, and never a crash: `make fuzz`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // As a blob, and as what a blob holds.
    clazar_auth::fuzzing::open(data);
    clazar_auth::fuzzing::open_sealed(data);
});
