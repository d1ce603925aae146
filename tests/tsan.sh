#!/bin/sh
# Runs the library's tests and the C programs under ThreadSanitizer, with a standard library that is
# instrumented too: without that, what its locks and channels order looks like a race.
set -eu
cd "$(dirname "$0")/.."

target=$(rustc -vV | sed -n 's/^host: //p')
# Not for what runs on this machine while it is built.
export CARGO_BUILD_TARGET="$target" CARGO_TARGET_DIR="$PWD/target/tsan"
# -Z is for a nightly compiler, or for one that is told to be like it.
export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test,proc_macro
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only
export CARGO_PROFILE_DEV_INCREMENTAL=false
# The runtime is gcc's, before the C library, whose functions it wraps.
export RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt \
    -Zpre-link-args=-Wl,--push-state,--no-as-needed,-ltsan,--pop-state"
export CC=gcc LDFLAGS=-ltsan

cargo test --locked --features sandbox,redis --lib -- --skip simulation
cargo test --locked --features sandbox,redis --test core

python3 packaging/c.py build --profile dev target/c-tsan capi,redis,test-panic
python3 packaging/c.py install target/c-tsan --no-strip --prefix="$PWD/target/stage-tsan"
# Without what looks at headers and packages, what brings a library that is not instrumented, what counts threads
# (ThreadSanitizer has one of its own), and coroutines: gcc counts who uses their frame without atomics.
CLAZAR_STAGE=stage-tsan CLAZAR_SANITIZER=thread cargo test --locked --features sandbox --test c -- \
    --skip abi:: --skip header:: --skip package:: --skip loop_of --skip links_beside --skip locale --skip coroutine \
    --skip a_resolver_that_hangs --skip a_plugin_is_unloaded
