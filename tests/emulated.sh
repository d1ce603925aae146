#!/bin/sh
# Runs the tests of modules, of allocations, of the core and of C on another processor under qemu: emulated.sh
# aarch64|s390x, for which tests/with_emulation.sh and tests/with_std_source.sh are to start it.
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

AR=$gnu-ar CC=$gnu-gcc LD=$gnu-ld NM=$gnu-nm OBJCOPY=$gnu-objcopy \
    python3 packaging/c.py build --profile dev --target "$target" "target/c-$machine" capi,redis,test-panic
OBJCOPY=$gnu-objcopy python3 packaging/c.py install "target/c-$machine" --prefix="$PWD/target/stage-$machine"
# What starts the programs in C runs on this machine, and finds the compilers for the other one first.
unset RUSTC_BOOTSTRAP CARGO_UNSTABLE_BUILD_STD
tools=$CARGO_TARGET_DIR/tools-$machine
mkdir -p "$tools"
for tool in ar g++ gcc nm; do
    ln -sf "/usr/bin/$gnu-$tool" "$tools/$tool"
done
ln -sf gcc "$tools/cc"
# The last one is for clang, which is one compiler for all; with # it does not tell what was added.
runner="env CLAZAR_STAGE=stage-$machine PATH=$tools:$PATH CCC_OVERRIDE_OPTIONS=#+--target=$gnu"
host=$(rustc -vV | sed -n 's/^host: //p' | tr '[:lower:]-' '[:upper:]_')
export "CARGO_TARGET_${host}_RUNNER=$runner"
tests/without_left_out.sh emulated c --features sandbox,redis
