#!/bin/sh
# Runs the tests of the store in Redis with Valkey in its place: this machine's, or that of Debian unstable. With
# --if-here this machine's alone, and none of the programs in C.
set -eu
cd "$(dirname "$0")/.."

export CLAZAR_REDIS_SERVER=valkey-server
if ! command -v "$CLAZAR_REDIS_SERVER" >/dev/null; then
    if [ "${1-}" = --if-here ]; then
        echo "skipped: the tests with Valkey; there is no valkey-server here, and make test-valkey fetches one" >&2
        exit 0
    fi
    host=$(rustc -vV | sed -n 's/^host: //p' | tr '[:lower:]-' '[:upper:]_')
    # Also what compiles the programs in C.
    export "CARGO_TARGET_${host}_RUNNER=$PWD/tests/debian_unstable.sh valkey-server,gcc,libc6-dev"
fi

# FEATURES PROGRAM NAME...
named() {
    features=$1 program=$2
    shift 2
    cargo test --locked --features "$features" "$program" -- --list | tests/names_of_tests.sh "$@"
    cargo test --locked --features "$features" "$program" -- "$@"
}

named sandbox,redis --lib redis::
named sandbox,redis --test=core redis:: sharing::
[ "${1-}" = --if-here ] || named sandbox --test=c fleet::
