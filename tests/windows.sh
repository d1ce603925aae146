#!/bin/sh
# Builds for Windows with mingw, and runs the tests of Rust and of C that apply under Wine. `make windows` sees to the
# toolchain, mingw and Wine.
set -eu
cd "$(dirname "$0")/.."

target=x86_64-pc-windows-gnu
gcc=x86_64-w64-mingw32-gcc-posix
export CARGO_BUILD_TARGET="$target" CARGO_TARGET_DIR="$PWD/target/windows"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER="$gcc" CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine64
export CC_x86_64_pc_windows_gnu="$gcc" AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
export WINEPREFIX="$PWD/target/wine" WINEDEBUG=-all WINEDLLOVERRIDES='winewayland.drv,winex11.drv='
mkdir -p "$WINEPREFIX"
# One server for all: what it says when it ends would otherwise be said by the program that started it.
wineserver=$(echo /usr/lib/*/wine/wineserver)
"$wineserver" --persistent
trap '"$wineserver" --kill || true' EXIT

# Each call of the system takes far longer, and nobody may wait too long for a turn.
export RUST_TEST_THREADS=4
tests/without_left_out.sh windows lib --features sandbox,redis
tests/without_left_out.sh windows core --features sandbox,redis

tests/windows_c.sh
