#!/bin/sh
# Builds all that is shipped twice, in two folders and in other surroundings, and compares it byte for byte.
set -eu
cd "$(dirname "$0")/.."

all=$PWD/target/reproducible

# FOLDER VARIABLE...
build() {
    folder=$all/$1
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    git ls-files -z | tar --null --files-from=- -c | tar -x -C "$folder"
    env "$@" make --silent -C "$folder" dist deb wheel >&2
    (cd "$folder" && sha256sum target/dist/*.tar.gz target/deb/*.deb dist/*)
}

build first TZ=UTC LC_ALL=C >"$all.first"
build then/in-another-folder TZ=Asia/Tokyo LC_ALL=C.UTF-8 COLUMNS=40 >"$all.then"
cat "$all.first"
cmp "$all.first" "$all.then" || {
    echo "two builds differ; the other one:" >&2
    cat "$all.then" >&2
    exit 1
}
