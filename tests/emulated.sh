#!/bin/sh
# Runs the tests of modules, of allocations, of the core and of C on another processor under qemu: emulated.sh
# aarch64|s390x, with which tests/with_emulation.sh is to start it.
set -eu
cd "$(dirname "$0")/.."

machine=$1
gnu=$machine-linux-gnu

# Runs the tests of a program but those that are left out: lib, allocations, core or c, then options of cargo.
test_all() {
    program=$1
    shift
    left_out=$(sed -n "s/^$program: //p" tests/emulated/left_out)
    case $program in
    lib) set -- --lib "$@" ;;
    *) set -- --test "$program" "$@" ;;
    esac
    # shellcheck disable=SC2086  # names
    cargo test --locked --features sandbox,redis "$@" -- --list | tests/names_of_tests.sh $left_out
    # By themselves, as in the Makefile.
    if [ "$program" = core ]; then
        cargo test --locked --features sandbox,redis "$@" load:: -- --test-threads 1
        left_out="$left_out load::"
    fi
    set -- "$@" -- --test-threads 2
    for name in $left_out; do
        set -- "$@" --skip "$name"
    done
    cargo test --locked --features sandbox,redis "$@"
}

target=$machine-unknown-linux-gnu
variable=$(echo "$target" | tr - _)
export CARGO_TARGET_DIR="$PWD/target/emulated"
export "CC_$variable=$gnu-gcc" "CARGO_TARGET_$(echo "$variable" | tr '[:lower:]' '[:upper:]')_LINKER=$gnu-gcc"
# An emulated processor takes its time.
export CARGO_PROFILE_TEST_OPT_LEVEL=1 CARGO_PROFILE_DEV_OPT_LEVEL=1
# -Z is for a nightly compiler, or for one that is told to be like it.
export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test,proc_macro
test_all lib --target "$target"
test_all allocations --target "$target"
test_all core --target "$target"

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
test_all c
