#!/bin/sh
# Changes the rules of the product, one place at a time, and names the changes that no test notices. tests/mutants.toml
# says which, and which of them do not count.
set -eu
cd "$(dirname "$0")/.."

folder=$PWD/target/mutants
export TMPDIR="$folder/copies" CARGO_TARGET_DIR="$folder/build" CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0
rm -rf "$folder/mutants.out" "$TMPDIR"
mkdir -p "$TMPDIR"

# run TARGET-OF-CARGO [OPTION...] -- [FILTER...]: what the run before has not noticed.
run() {
    target=$1
    shift
    "$folder/bin/cargo-mutants" mutants --config tests/mutants.toml --output "$folder" --iterate --jobs 2 \
        --colors never --no-times --cargo-arg="$target" "$@" || [ $? -le 3 ]
    # A test that hangs has noticed it.
    cat "$folder/mutants.out/timeout.txt" >>"$folder/mutants.out/caught.txt"
}

run --lib --re '/(policy/mod|lifetime|seal).rs:' -- -- policy:: lifetime:: seal:: --skip exchanges_are --skip in_years
run --lib -- -- --test-threads 16 --skip fleet:: --skip simulation:: --skip exchanges_are --skip in_years \
    --skip store::redis --skip store::file --skip sys:: --skip trust::
