#!/bin/sh
# Builds all that is shipped twice, in two folders and in other surroundings, and compares it byte for byte.
set -eu
cd "$(dirname "$0")/.."

all=$PWD/target/reproducible
rm -rf "$all"
mkdir -p "$all/second"
# The same home by another name.
ln -s "$HOME" "$all/second/home"

# FOLDER UMASK VARIABLE...
build() (
    umask "$2"
    mkdir -p "$1"
    git ls-files -z | tar --null --files-from=- -c | tar -x -C "$1"
    cd "$1"
    shift 2
    env "$@" make --silent dist deb wheel >&2
    sha256sum target/dist/*.tar.gz target/deb/*.deb dist/*
)

build "$all/first" 022 TZ=UTC LC_ALL=C CARGO_BUILD_JOBS=1 >"$all/first.sums"
build "$all/second/in-another-folder" 077 TZ=Asia/Tokyo LC_ALL=C.UTF-8 CARGO_BUILD_JOBS=3 \
    HOME="$all/second/home" USER=somebody LOGNAME=somebody >"$all/second.sums"
cat "$all/first.sums"
cmp "$all/first.sums" "$all/second.sums" || {
    echo "two builds differ; the other one:" >&2
    cat "$all/second.sums" >&2
    exit 1
}
