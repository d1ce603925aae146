#!/bin/sh
# Builds for Windows with mingw, and runs the tests of Rust and of C that apply under Wine. Where the toolchain, mingw
# and Wine are is what `make windows` sees to.
set -eu
cd "$(dirname "$0")/.."

target=x86_64-pc-windows-gnu
gcc=x86_64-w64-mingw32-gcc-posix
# -Z is for a nightly compiler, or for one that is told to be like it.
export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test,proc_macro
export CARGO_BUILD_TARGET="$target" CARGO_TARGET_DIR="$PWD/target/windows"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER="$gcc" CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine64
export CC_x86_64_pc_windows_gnu="$gcc" AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
export WINEPREFIX="$PWD/target/wine" WINEDEBUG=-all WINEDLLOVERRIDES='winewayland.drv,winex11.drv='
mkdir -p "$WINEPREFIX"
# One server for all: what it says when it ends would otherwise be said by the program that started it.
wineserver=$(echo /usr/lib/*/wine/wineserver)
"$wineserver" --persistent
trap '"$wineserver" --kill || true' EXIT

# Runs all tests of some but those that have one of these words in their names: without TARGET WORD...
without() {
    tests=$1
    shift
    # shellcheck disable=SC2086  # several words
    cargo test --locked --features sandbox,redis $tests -- --list | tests/names_of_tests.sh "$@"
    for word; do
        shift
        set -- "$@" --skip "$word"
    done
    # Each call of the system takes far longer, and nobody may wait too long for a turn.
    # shellcheck disable=SC2086
    cargo test --locked --features sandbox,redis $tests -- --test-threads 4 "$@"
}

# There is no Redis for Windows.
set -- redis::tests
# They are about the library alone, whatever the system, and take a minute.
set -- "$@" simulation fleet
# Wine counts no boots, so that the clock of a test cannot be told from that of the store.
set -- "$@" a_failure_with_which_a_stored_token_is_handed a_new_process_tries_for_more_than_the_last_part
# Wine keeps the name of a removed file until the last one has closed it.
set -- "$@" a_stopped_holder_is_passed_over_once
# Wine makes links that lead nowhere.
set -- "$@" a_link_is_not_followed
# Wine has room for 260 characters when it is asked for the path of a folder that is open.
set -- "$@" a_path_may_be_longer
without --lib "$@"

# All of these need Redis.
set -- redis:: sharing:: rotation::
# What a test copies into the folder of the store inherits its permissions, but not under Wine.
set -- "$@" garbage_ends_no_looks
# By themselves, as in the Makefile.
set -- "$@" load::
without "--test core" "$@"
cargo test --locked --features sandbox,redis --test core load:: -- --test-threads 1

tests/windows_c.sh
