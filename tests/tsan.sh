#!/bin/sh
# Runs the library's tests and the C programs under ThreadSanitizer, with a standard library that is
# instrumented too: without that, what its locks and channels order looks like a race.
set -eu
cd "$(dirname "$0")/.."

target=$(rustc -vV | sed -n 's/^host: //p')
# Not for what runs on this machine while it is built.
export CARGO_BUILD_TARGET="$target" CARGO_TARGET_DIR="$PWD/target/tsan"
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only
export CARGO_PROFILE_DEV_INCREMENTAL=false
# The runtime is gcc's, before the C library, whose functions it wraps.
export RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt \
    -Zpre-link-args=-Wl,--push-state,--no-as-needed,-ltsan,--pop-state"
export CC=gcc LDFLAGS=-ltsan

cargo test --locked --features sandbox,redis --lib -- --list | tests/names_of_tests.sh simulation fleet
cargo test --locked --features sandbox,redis --lib -- --skip simulation --skip fleet
cargo test --locked --features sandbox,redis --test core -- --skip load::
cargo test --locked --features sandbox,redis --test core load:: -- --test-threads 1

python3 packaging/c.py build --profile dev target/c-tsan capi,redis,test-panic
python3 packaging/c.py install target/c-tsan --no-strip --prefix="$PWD/target/stage-tsan"
# Without what looks at headers and packages, what brings a library that is not instrumented, what counts threads
# (ThreadSanitizer has one of its own), and coroutines: gcc counts who uses their frame without atomics.
set -- abi:: header:: package:: loop_of links_beside locale coroutine a_resolver_that_hangs a_plugin_may_be_closed
cargo test --locked --features sandbox --test c -- --list | tests/names_of_tests.sh "$@"
for word; do
    shift
    set -- "$@" --skip "$word"
done
CLAZAR_STAGE=stage-tsan CLAZAR_SANITIZER=thread cargo test --locked --features sandbox --test c -- "$@"
