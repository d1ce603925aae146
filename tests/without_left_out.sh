#!/bin/sh
# Runs the tests of a program but those that a file of tests/left_out names for it: without_left_out.sh FILE
# lib|allocations|core|c OPTION-OF-CARGO... Of core, those called load:: run by themselves, as in the Makefile.
set -eu
cd "$(dirname "$0")/.."

program=$2
left_out=$(sed -n "s/^$program: //p" "tests/left_out/$1")
shift 2
case $program in
lib) set -- --locked --lib "$@" ;;
*) set -- --locked --test "$program" "$@" ;;
esac

# shellcheck disable=SC2086  # names
cargo test "$@" -- --list | tests/names_of_tests.sh $left_out
if [ "$program" = core ]; then
    cargo test "$@" -- --list | tests/names_of_tests.sh load::
    RUST_TEST_THREADS=1 cargo test "$@" load::
    left_out="$left_out load::"
fi
set -- "$@" --
for name in $left_out; do
    set -- "$@" --skip "$name"
done
cargo test "$@"
