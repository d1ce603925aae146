#!/bin/sh
# Builds for other systems and processors than this machine's, runs what can be run, and checks the types of the rest.
# Prints one table, and writes it into docs/platforms.md if each row passed. What this needs is what `make platforms` sees
# to.
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
    status=0
    "$@" >"$log.row" 2>&1 || status=$?
    cat "$log.row" >>"$log"
    case $status in
    0) ;;
    # As tests/debian_unstable.sh ends where it cannot run anything; its last line says why.
    77) how="**not run**: $(sed -n '$s/^not run: //p' "$log.row")" failed=yes ;;
    *) how="**fails**: $how" failed=yes ;;
    esac
    echo "| $system | \`$target\` | $how |" >>"$table"
}

# Types, without an error or a warning: TARGET. The parts of ring in C are not compiled.
check() (
    variable=$(echo "$1" | tr - _)
    export PATH="$PWD/tests/platforms:$PATH" "CC_$variable=clang" "AR_$variable=clang"
    # What the crates for macOS and for Python would ask the machine for.
    export SDKROOT=/nowhere PYO3_NO_PYTHON=1
    tests/with_std_source.sh cargo check --locked --target "$1" --features capi,python,redis,sandbox 2>"$log.checked" || {
        status=$?
        cat "$log.checked"
        exit $status
    }
    cat "$log.checked"
    ! grep -q '^warning' "$log.checked"
)

failed=no
rustc=$(rustc --version | cut -d ' ' -f 1-2)
cat >"$table" <<END
Run on $(LC_ALL=C date '+%-d %B %Y') on $(uname -m), at commit ${COMMIT:-unknown}, with Debian unstable's $rustc, mingw,
Wine and qemu.

| system | target | how |
| --- | --- | --- |
END
row 'Linux, glibc' x86_64-unknown-linux-gnu 'unit tests run' cargo test --locked --features sandbox,redis --lib
row 'Linux, glibc' x86_64-unknown-linux-gnu 'tests run under ThreadSanitizer, the standard library included' \
    tests/with_std_source.sh tests/tsan.sh
row 'Linux, musl' x86_64-unknown-linux-musl 'tests run, some of those of C with the static library' tests/with_std_source.sh tests/musl.sh
row 'Linux, glibc' aarch64-unknown-linux-gnu 'tests run, those of C too, under qemu' \
    tests/with_emulation.sh aarch64 tests/with_std_source.sh tests/emulated.sh aarch64
row 'Linux, glibc, big-endian' s390x-unknown-linux-gnu 'tests run, those of C too, under qemu' \
    tests/with_emulation.sh s390x tests/with_std_source.sh tests/emulated.sh s390x
row 'Linux, glibc' aarch64-unknown-linux-gnu 'the wheel runs under qemu, with Python 3.14' tests/foreign_wheel.sh
row 'Linux, musl' x86_64-unknown-linux-musl 'the wheel runs with Python 3.14, built with musl' tests/built_python.sh musl
row 'Linux, glibc' x86_64-unknown-linux-gnu 'the wheel runs with Python 3.14t, free-threaded' \
    tests/built_python.sh free-threaded
row 'Windows, mingw' x86_64-pc-windows-gnu 'the tests that apply run under Wine' tests/with_std_source.sh tests/windows.sh
row 'Windows, MSVC' x86_64-pc-windows-msvc 'types checked' check x86_64-pc-windows-msvc
row 'Windows, MSVC' aarch64-pc-windows-msvc 'types checked' check aarch64-pc-windows-msvc
row macOS x86_64-apple-darwin 'types checked' check x86_64-apple-darwin
row macOS aarch64-apple-darwin 'types checked' check aarch64-apple-darwin
cat "$table"
[ $failed = no ] || {
    echo 'not each row passed; target/platforms.log says why' >&2
    exit 1
}
begin='<!-- make platforms -->'
sed -i -e "/^$begin\$/r $table" -e "/^$begin\$/,/^<!-- end -->\$/{/^<!--/!d}" docs/platforms.md
