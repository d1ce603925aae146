#!/bin/sh
# Builds for other systems and processors than this machine's, runs what can be run, and checks the types of the rest.
# Prints one table, which is docs/platforms.md's too. What this needs is what `make platforms` sees to.
set -eu
cd "$(dirname "$0")/.."

# -Z is for a nightly compiler, or for one that is told to be like it.
export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test,proc_macro
export CARGO_TARGET_DIR="$PWD/target/platforms"
table=$PWD/target/platforms.md
log=$PWD/target/platforms.log
: >"$log"

# One row: SYSTEM TARGET HOW COMMAND..., whose output is kept in the log.
row() {
    system=$1 target=$2 how=$3
    shift 3
    echo "$how for $target..." >&2
    if "$@" >>"$log" 2>&1; then
        echo "| $system | \`$target\` | $how |" >>"$table"
    else
        echo "| $system | \`$target\` | **fails**: $how |" >>"$table"
        failed=yes
    fi
}

# The variables of cc and of cargo have the target in their names.
named() {
    echo "$1" | tr '[:lower:]-' '[:upper:]_'
}

# The unit tests of Rust, with the vector of the sealed blob, and the numbers of the ABI: TARGET GCC [RUNNER].
run() (
    target=$1 gcc=$2 runner=${3-}
    export "CARGO_TARGET_$(named "$target")_LINKER=$gcc" "CC_$(echo "$target" | tr - _)=$gcc"
    set -- --skip simulation --skip fleet --skip redis::tests
    if [ -n "$runner" ]; then
        export "CARGO_TARGET_$(named "$target")_RUNNER=$runner"
        # An emulated processor takes its time.
        export CARGO_PROFILE_TEST_OPT_LEVEL=1
        # They start themselves once more, which this machine's kernel cannot.
        set -- "$@" --skip store::file::tests
    fi
    cargo test --locked --target "$target" --features sandbox,redis --lib -- "$@"
    "$gcc" -std=c99 -D_POSIX_C_SOURCE=200809L -Iinclude -Itests/c -c tests/c/abi.c -o "$CARGO_TARGET_DIR/abi.o"
)

# Types, without an error or a warning: TARGET. The parts of ring in C are not compiled.
check() (
    variable=$(echo "$1" | tr - _)
    export PATH="$PWD/tests/platforms:$PATH" "CC_$variable=clang" "AR_$variable=clang"
    # What the crates for macOS and for Python would ask the machine for.
    export SDKROOT=/nowhere PYO3_NO_PYTHON=1
    cargo check --locked --target "$1" --features capi,python,redis,sandbox 2>"$log.checked" || {
        cat "$log.checked"
        exit 1
    }
    cat "$log.checked"
    ! grep -q '^warning' "$log.checked"
)

failed=no
printf '%s\n' '| system | target | how |' '| --- | --- | --- |' >"$table"
row 'Linux, glibc' x86_64-unknown-linux-gnu 'unit tests run natively, numbers of the ABI compiled' run x86_64-unknown-linux-gnu gcc
row 'Linux, glibc' aarch64-unknown-linux-gnu 'unit tests run under qemu, numbers of the ABI compiled' \
    run aarch64-unknown-linux-gnu aarch64-linux-gnu-gcc 'qemu-aarch64 -L /usr/aarch64-linux-gnu'
row 'Linux, glibc, big-endian' s390x-unknown-linux-gnu 'unit tests run under qemu, numbers of the ABI compiled' \
    run s390x-unknown-linux-gnu s390x-linux-gnu-gcc 'qemu-s390x -L /usr/s390x-linux-gnu'
row 'Windows, mingw' x86_64-pc-windows-gnu 'the tests that apply run under Wine' tests/windows.sh
for target in x86_64-pc-windows-msvc aarch64-pc-windows-msvc; do
    row 'Windows, MSVC' $target 'types checked' check $target
done
for target in x86_64-apple-darwin aarch64-apple-darwin; do
    row macOS $target 'types checked' check $target
done
cat "$table"
[ $failed = no ] || { echo "target/platforms.log has what failed" >&2; exit 1; }
