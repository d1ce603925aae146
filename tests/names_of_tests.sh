#!/bin/sh
# Fails if a word is in none of the names that `cargo test -- --list` writes, as after a test got another name.
set -eu
names=$(cat)
for word; do
    case $names in
    *"$word"*) ;;
    *)
        echo "no test has $word in its name" >&2
        exit 1
        ;;
    esac
done
