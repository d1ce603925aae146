#!/bin/sh
# Builds the static library for musl into target/stage-musl, and tests it: the library, its core, and programs
# in C.
set -eu
cd "$(dirname "$0")/.."

target=$(uname -m)-unknown-linux-musl
cc=$PWD/tests/musl/cc
export CARGO_BUILD_TARGET="$target" CARGO_TARGET_DIR="$PWD/target/musl"
export "CC_$(echo "$target" | tr - _)=$cc"
# -Z is for a nightly compiler, or for one that is told to be like it.
export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test,proc_macro
# The objects that a program starts with, the C library and the unwinder are zig's.
export RUSTFLAGS="-C linker=$cc -C link-self-contained=no -C target-feature=+crt-static"

python3 packaging/c.py build --no-shared target/c-musl capi,redis
mkdir -p target/stage-musl/lib
cp -r include target/stage-musl
cp target/c-musl/libclazar_auth.a target/stage-musl/lib

cargo test --locked --features sandbox,redis --lib --test core --test allocations
cargo test --locked --features sandbox --test c --no-run
# The programs are compiled by the `cc` that is found first. Those that put themselves between a program and a
# shared library are left out.
CLAZAR_STAGE=stage-musl PATH="$(dirname "$cc"):$PATH" cargo test --locked --features sandbox --test c -- \
    wrong_arguments each_function sealed_token sixty_four_threads ten_thousand goes_on_with_the_provider \
    each_kind_of_error tls_works left_in_memory
