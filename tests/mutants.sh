#!/bin/sh
# Changes the rules of the product, one place at a time, and names the changes that no test notices. tests/mutants.toml
# says what is changed, and which changes do not count.
set -eu
cd "$(dirname "$0")/.."

folder=$PWD/target/mutants
export CARGO="${CARGO:-cargo}"
"$CARGO" install --quiet --debug --locked --root "$folder" --target-dir "$folder/install" cargo-mutants@27.1.0
rm -rf "$folder/install" "$folder/mutants.out" "$folder/copy"
mkdir -p "$folder/copy"
export TMPDIR="$folder/copy" CARGO_TARGET_DIR="$folder/build" CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0

# in_tests TARGET [--re FILES] -- -- FILTER...: tries these tests on what those before have not noticed. Those that
# notice soonest come first.
in_tests() {
    target=$1
    shift
    status=0
    "$folder/bin/cargo-mutants" mutants --config tests/mutants.toml --output "$folder" --iterate --no-times \
        --cargo-arg="$target" "$@" || status=$?
    # 2 says that a change was not noticed, and 3 that a test hung: that has noticed it.
    case $status in 0 | 2 | 3) ;; *) exit $status ;; esac
    cat "$folder/mutants.out/timeout.txt" >>"$folder/mutants.out/caught.txt"
}

in_tests --lib --re '/(policy/mod|retry_state|attempts|lifetime|seal).rs:' -- -- \
    policy:: retries:: attempts:: lifetime:: seal:: --skip requests_are_bounded --skip in_years
in_tests --lib --re '/store/' -- -- --test-threads 16 store:: --skip simulation:: --skip store::file --skip store::redis
in_tests --lib --re '/store/' -- -- --test-threads 16 store::tests::simulation:: sharing::
in_tests --lib --re '/session.rs:' -- -- store::file::tests::items
in_tests --test=core --re '/(refusal|response|attempts).rs:' -- -- \
    --test-threads 16 errors:: response:: attempts:: --skip ten_seconds
in_tests --lib -- -- --test-threads 16 --skip store::file --skip store::redis --skip sys:: --skip trust:: \
    --skip fleet:: --skip simulation:: --skip requests_are_bounded --skip in_years
in_tests --test=core -- -- --test-threads 16 --skip load:: --skip outage::

if [ -s "$folder/mutants.out/missed.txt" ]; then
    echo 'no test notices these:' >&2
    cat "$folder/mutants.out/missed.txt" >&2
    exit 1
fi
