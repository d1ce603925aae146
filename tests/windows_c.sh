#!/bin/sh
# Builds the C library for Windows into target/stage-windows, and tests it under Wine. tests/windows.sh runs it, and sets
# what it needs.
set -eu
cd "$(dirname "$0")/.."

stage=$PWD/target/stage-windows
mingw=x86_64-w64-mingw32

make target/stage-windows/installed

# ---- What it offers and needs ----

fail() {
    echo "$1" >&2
    exit 1
}

declared=$(grep -o '\bclazar_[a-z_]*(' include/clazar_auth.ffi.h | tr -d '(' | sort)
dll=$($mingw-objdump -p "$stage/bin/clazar_auth.dll")
exports=$(echo "$dll" | sed -n '/Ordinal *Hint Name/,/^$/s/^.*\] .* \([^ ]*\)$/\1/p' | sort)
[ "$exports" = "$declared" ] || fail "the DLL exports $exports"
global=$($mingw-nm --extern-only --defined-only --format=posix "$stage/lib/libclazar_auth.a" | sed -n 's/ T .*//p' | sort)
[ "$global" = "$declared" ] || fail "the static library has $global"
# DLLs of the system, and none of mingw's.
for needed in $(echo "$dll" | sed -n 's/^.*DLL Name: //p'); do
    case $needed in
    KERNEL32.dll | ntdll.dll | msvcrt.dll | WS2_32.dll | ADVAPI32.dll | CRYPT32.dll) ;;
    bcrypt.dll | bcryptPrimitives.dll | api-ms-win-core-realtime-*.dll | api-ms-win-core-synch-*.dll) ;;
    *) fail "the DLL needs $needed" ;;
    esac
done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
for text in ProductName clazar-auth ProductVersion "$version" LegalCopyright; do
    $mingw-strings --encoding=l "$stage/bin/clazar_auth.dll" | grep -qF "$text" || fail "the DLL does not say $text"
done

# ---- The headers: as tests/c/header.rs has it ----

strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror -fsyntax-only'
headers=target/c-windows/headers.c
for header in clazar_auth clazar_auth_dlopen; do
    printf '#include <%s.h>\n#include <%s.h>\n' $header $header >$headers
    for define in -DNDEBUG -DCLAZAR_STATIC; do
        for standard in c99 c11 c17 c2x; do
            # shellcheck disable=SC2086  # options
            $mingw-gcc-posix -std=$standard $strict -Wstrict-prototypes -Wmissing-prototypes -Wc++-compat \
                $define -I"$stage/include" $headers
        done
        for standard in c++11 c++14 c++17 c++20 c++2b; do
            # shellcheck disable=SC2086
            $mingw-g++-posix -x c++ -std=$standard $strict -Wold-style-cast -Wsign-conversion \
                $define -I"$stage/include" $headers
        done
    done
done
echo '#include <clazar_auth.hpp>' >$headers
for standard in c++17 c++20 c++2b; do
    # shellcheck disable=SC2086
    $mingw-g++-posix -x c++ -std=$standard $strict -Wold-style-cast -Wsign-conversion -I"$stage/include" $headers
done

# ---- CMake and pkg-config ----

# With the DLL in the path, or without.
runs() { WINEPATH="Z:$stage/bin" timeout 100 wine64 "$1" || fail "$1 does not run"; }
runs_alone() { timeout 100 wine64 "$1" || fail "$1 needs more than the static library"; }

projects=$PWD/target/c-windows/cmake
rm -rf "$projects"
for library in clazar_auth static; do
    mkdir -p "$projects/$library"
    cat >"$projects/$library/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.13)
project(test C)
find_package(clazar_auth $version EXACT REQUIRED)
add_executable(program $PWD/tests/c/null.c)
target_link_libraries(program PRIVATE clazar_auth::$library)
EOF
    cmake -S "$projects/$library" -B "$projects/$library" -DCMAKE_SYSTEM_NAME=Windows \
        -DCMAKE_C_COMPILER=$mingw-gcc-posix -DCMAKE_PREFIX_PATH="$stage" >/dev/null
    cmake --build "$projects/$library" >/dev/null
done
runs "$projects/clazar_auth/program.exe"
runs_alone "$projects/static/program.exe"

export PKG_CONFIG_PATH="$stage/lib/pkgconfig"
# shellcheck disable=SC2046  # options
$mingw-gcc-posix tests/c/null.c -o "$projects/shared.exe" $(pkg-config --cflags --libs clazar_auth)
runs "$projects/shared.exe"
for options in clazar_auth-static '--static clazar_auth'; do
    # shellcheck disable=SC2046,SC2086
    $mingw-gcc-posix tests/c/null.c -static -o "$projects/static.exe" $(pkg-config --cflags --libs $options)
    runs_alone "$projects/static.exe"
done

# ---- The tests of tests/c ----

# The runner is a program of this system, and so is its sandbox, so that it is built first; its `cc` and `g++` make
# programs for Wine.
unset RUSTC_BOOTSTRAP CARGO_UNSTABLE_BUILD_STD CARGO_BUILD_TARGET
cargo test --locked --features sandbox --test c --no-run
CLAZAR_STAGE=stage-windows RUST_TEST_THREADS=2 PATH="$PWD/tests/windows:$PATH" \
    tests/without_left_out.sh windows c --features sandbox
