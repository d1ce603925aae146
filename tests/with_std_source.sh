#!/bin/sh
# Runs a command that builds the standard library anew, with a Rust toolchain that can: this machine's, if it has the
# source of that library, or Debian unstable's.
set -eu
cd "$(dirname "$0")/.."

# -Z is for a nightly compiler, or for one that is told to be like it.
export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test,proc_macro

if [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]; then
    exec "$@"
fi
export HINT='rustup component add rust-src brings what is needed too'
# Also what the tests need there.
exec tests/debian_unstable.sh cargo,g++,make,openssl,python3,redis-server,rust-src,rustc "$@"
