//! Runs one target under libFuzzer, the one that CLAZAR_FUZZ_TARGET names.
#![no_main]

use std::env;
use std::sync::LazyLock;

use clazar_auth_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static RUN: LazyLock<Target> = LazyLock::new(|| {
    let name = env::var("CLAZAR_FUZZ_TARGET").expect("CLAZAR_FUZZ_TARGET names a target");
    TARGETS.iter().find(|(target, _)| *target == name).expect("there is such a target").1
});

fuzz_target!(|data: &[u8]| RUN(data));
