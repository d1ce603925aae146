#!/bin/sh
# Builds for other systems and processors than this machine's, runs what can be run, and checks the types of the rest.
# Prints one table, which is docs/platforms.md's too. What this needs is what `make platforms` sees to.
set -eu
cd "$(dirname "$0")/.."

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

# Types, without an error or a warning: TARGET. The parts of ring in C are not compiled.
check() (
    # -Z is for a nightly compiler, or for one that is told to be like it.
    export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test,proc_macro
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
row 'Linux, glibc' x86_64-unknown-linux-gnu 'unit tests run' \
    cargo test --locked --features sandbox,redis --lib -- --skip simulation --skip fleet
row 'Linux, glibc' x86_64-unknown-linux-gnu 'tests run under ThreadSanitizer, the standard library included' \
    tests/with_std_source.sh tests/tsan.sh
row 'Linux, musl' x86_64-unknown-linux-musl 'tests run, those of C with the static library' tests/with_std_source.sh tests/musl.sh
row 'Linux, glibc' aarch64-unknown-linux-gnu 'tests of modules, core and C run under qemu' \
    tests/with_emulation.sh aarch64 tests/emulated.sh aarch64
row 'Linux, glibc, big-endian' s390x-unknown-linux-gnu 'tests of modules, core and C run under qemu' \
    tests/with_emulation.sh s390x tests/emulated.sh s390x
row 'Linux, glibc' aarch64-unknown-linux-gnu 'the wheel runs under qemu, with Python 3.14' tests/foreign_wheel.sh
row 'Windows, mingw' x86_64-pc-windows-gnu 'the tests that apply run under Wine' tests/windows.sh
for target in x86_64-pc-windows-msvc aarch64-pc-windows-msvc; do
    row 'Windows, MSVC' $target 'types checked' check $target
done
for target in x86_64-apple-darwin aarch64-apple-darwin; do
    row macOS $target 'types checked' check $target
done
cat "$table"
[ $failed = no ] || { echo "target/platforms.log has what failed" >&2; exit 1; }
