#!/bin/sh
# Runs the tests of the store in Redis with Valkey in its place: this machine's, or that of Debian unstable.
set -eu
cd "$(dirname "$0")/.."

export CLAZAR_REDIS_SERVER=valkey-server
if ! command -v "$CLAZAR_REDIS_SERVER" >/dev/null; then
    host=$(rustc -vV | sed -n 's/^host: //p' | tr '[:lower:]-' '[:upper:]_')
    # Also what compiles the programs in C.
    export "CARGO_TARGET_${host}_RUNNER=$PWD/tests/debian_unstable.sh valkey-server,gcc,libc6-dev"
fi

cargo test --locked --features sandbox,redis --lib redis::
cargo test --locked --features sandbox,redis --test core -- redis:: sharing::
cargo test --locked --features sandbox --test c fleet::
