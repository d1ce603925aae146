#!/bin/sh
# Runs the tests of modules, of allocations and of the core on another processor under qemu: emulated.sh aarch64|s390x, with
# which tests/with_emulation.sh is to start it.
set -eu
cd "$(dirname "$0")/.."

machine=$1
gnu=$machine-linux-gnu

# Runs the tests of a program but those that are left out: lib, allocations or core, then options of cargo.
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

# The numbers of the ABI, which the compiler checks.
"$gnu-gcc" -std=c99 -D_POSIX_C_SOURCE=200809L -Iinclude -Itests/c -c tests/c/abi.c -o "$CARGO_TARGET_DIR/abi.o"
