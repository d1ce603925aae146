#!/bin/sh
# Feeds each target, or those that are named, with arbitrary bytes for so many MINUTES, and ends where something does
# not hold. What was tried is kept in target/fuzz-found, so that the next run goes on from there.
#
# libFuzzer comes with the crate libfuzzer-sys, and what it needs of the compiler is in stable Rust, but for
# AddressSanitizer.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- fuzz/corpus/*
for target; do
    [ -d "fuzz/corpus/$(basename "$target")" ] || {
        echo "no target $target; there are" fuzz/corpus/* >&2
        exit 1
    }
done

# libFuzzer takes whole seconds, and takes none for no limit.
seconds=$(awk -v minutes="${MINUTES:-1}" 'BEGIN { seconds = 60 * minutes; print seconds < 1 ? 1 : int(seconds) }')
host=$(rustc -vV | sed -n 's/^host: //p')
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares'
checks='-Cdebug-assertions -Coverflow-checks -Zsanitizer=address'
RUSTC_BOOTSTRAP=1 RUSTFLAGS="--cfg fuzzing $coverage $checks" \
    "${CARGO:-cargo}" build --locked --quiet --release --manifest-path fuzz/Cargo.toml --features libfuzzer --bin fuzz \
    --target "$host" --target-dir target/libfuzzer

# In memory, if the system has such: it is faster.
memory=/dev/shm
[ -w "$memory" ] || memory=${TMPDIR:-/tmp}
TMPDIR=$(mktemp -d "$memory"/clazar-auth-fuzz.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
for target; do
    name=$(basename "$target")
    tried=target/fuzz-found/$name
    mkdir -p "$tried"
    echo "== $name" >&2
    CLAZAR_FUZZ_TARGET=$name "target/libfuzzer/$host/release/fuzz" -max_total_time="$seconds" \
        -max_len=16384 -timeout=10 -verbosity=0 -print_final_stats=1 -artifact_prefix="$tried-" "$tried" "fuzz/corpus/$name"
done
