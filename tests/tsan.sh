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

tests/without_left_out.sh tsan lib --features sandbox,redis
tests/without_left_out.sh tsan core --features sandbox,redis

python3 packaging/c.py build --profile dev target/c-tsan capi,redis,test-panic
python3 packaging/c.py install target/c-tsan --no-strip --prefix="$PWD/target/stage-tsan"
CLAZAR_STAGE=stage-tsan CLAZAR_SANITIZER=thread tests/without_left_out.sh tsan c --features sandbox
