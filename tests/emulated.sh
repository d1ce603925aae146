#!/bin/sh
# Runs the tests of modules, of allocations and of the core on another processor under qemu: emulated.sh aarch64|s390x, for
# which tests/with_emulation.sh and tests/with_std_source.sh are to start it.
set -eu
cd "$(dirname "$0")/.."

machine=$1
gnu=$machine-linux-gnu

target=$machine-unknown-linux-gnu
variable=$(echo "$target" | tr - _)
export CARGO_TARGET_DIR="$PWD/target/emulated"
export "CC_$variable=$gnu-gcc" "CARGO_TARGET_$(echo "$variable" | tr '[:lower:]' '[:upper:]')_LINKER=$gnu-gcc"
# An emulated processor takes its time.
export CARGO_PROFILE_TEST_OPT_LEVEL=1 CARGO_PROFILE_DEV_OPT_LEVEL=1
export RUST_TEST_THREADS=2
for program in lib allocations core; do
    tests/without_left_out.sh emulated $program --features sandbox,redis --target "$target"
done

# The numbers of the ABI, which the compiler checks.
"$gnu-gcc" -std=c99 -D_POSIX_C_SOURCE=200809L -Iinclude -Itests/c -c tests/c/abi.c -o "$CARGO_TARGET_DIR/abi.o"
