#!/bin/sh
# Builds all that is shipped twice, in two folders and in other surroundings, and compares it byte for byte.
set -eu
cd "$(dirname "$0")/.."

all=$PWD/target/reproducible
first=$all/first
second=$all/second/in-another-folder
rm -rf "$all"
for folder in "$first" "$second"; do
    mkdir -p "$folder"
    git ls-files -z | tar --null --files-from=- -c | tar -x -C "$folder"
done

# FOLDER VARIABLE...
build() {
    folder=$1
    shift
    env "$@" make --silent -C "$folder" dist deb wheel >&2
    (cd "$folder" && sha256sum target/dist/*.tar.gz target/deb/*.deb dist/*)
}

build "$first" TZ=UTC LC_ALL=C >"$all/first.sums"
build "$second" TZ=Asia/Tokyo LC_ALL=C.UTF-8 >"$all/second.sums"
cat "$all/first.sums"
cmp "$all/first.sums" "$all/second.sums" || {
    echo "two builds differ; the other one:" >&2
    cat "$all/second.sums" >&2
    exit 1
}
