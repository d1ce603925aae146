#!/bin/sh
# Builds the static library for musl into target/stage-musl, and tests it: the library, its core, and programs
# in C.
set -eu
cd "$(dirname "$0")/.."

target=$(uname -m)-unknown-linux-musl
cc=$PWD/tests/musl/cc
export CARGO_BUILD_TARGET="$target" CARGO_TARGET_DIR="$PWD/target/musl"
export "CC_$(echo "$target" | tr - _)=$cc"
# The objects that a program starts with, the C library and the unwinder are zig's.
export RUSTFLAGS="-C linker=$cc -C link-self-contained=no -C target-feature=+crt-static"

python3 packaging/c.py build --no-shared target/c-musl capi,redis
python3 packaging/c.py install --no-shared target/c-musl --prefix="$PWD/target/stage-musl"

cargo test --locked --features sandbox,redis --lib --test allocations
cargo test --locked --features sandbox,redis --test core -- --list | tests/names_of_tests.sh load::
cargo test --locked --features sandbox,redis --test core -- --skip load::
cargo test --locked --features sandbox,redis --test core load:: -- --test-threads 1
# Those that put themselves between a program and a shared library are left out.
set -- wrong_arguments each_function_of_a_provider sealed_token sixty_four_threads ten_thousand goes_on_with_the_provider \
    each_kind_of_error tls_works left_in_memory
cargo test --locked --features sandbox --test c -- --list | tests/names_of_tests.sh "$@"
# The programs are compiled by the `cc` that is found first.
CLAZAR_STAGE=stage-musl PATH="$(dirname "$cc"):$PATH" cargo test --locked --features sandbox --test c -- "$@"
