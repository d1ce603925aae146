#!/bin/sh
# Runs the tests of Rust, C and Python, and those of faults, on code that counts how often each line is run. Says how many
# lines of src/ they reach, and fails if that is too few, or if one that they do not reach is not in tests/uncovered. A test
# that fails for being slower, or larger, so is named and does not end it.
set -eu
cd "$(dirname "$0")/.."

folder=$PWD/target/coverage
cargo=${CARGO:-cargo}
# The profile is read by the LLVM that wrote it: rustup's, or Debian's of the same number.
tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
if [ ! -x "$tools/llvm-cov" ]; then
    llvm=llvm-$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    tools=/usr/lib/$llvm/bin
    [ -x "$tools/llvm-cov" ] || { apt-get update -qq &&
        apt-get install -qq -y --no-install-recommends "$llvm" >/dev/null; } || {
        echo "needs rustup component add llvm-tools, or as root apt-get install $llvm" >&2
        exit 1
    }
fi

# With no program of an earlier run, which may have lines where there are others now.
rm -rf "$folder/profiles" "$folder/build/debug/deps/libclazar_auth.so"
[ ! -d "$folder/build/debug/deps" ] ||
    find "$folder/build/debug/deps" -maxdepth 1 -type f -perm -u+x ! -name '*.so' -delete
mkdir -p "$folder/profiles"
# For cargo, the compiler of what is ours. What it compiles writes its counts as it runs, however it ends. In Python, since
# a shell drops the variable that names the program of a test: there is a hyphen in it.
cat >"$folder/rustc" <<END
#!$("${PYTHON:-python3}" -c 'import sys; print(sys.executable)')
import os, sys
counting = ["-Cinstrument-coverage", "-Cllvm-args=-runtime-counter-relocation"]
os.execvp(sys.argv[1], sys.argv[1:] + counting)
END
chmod +x "$folder/rustc"
export RUSTC_WORKSPACE_WRAPPER="$folder/rustc" CARGO_TARGET_DIR="$folder/build" CARGO_INCREMENTAL=0
# Eight files for each program, which its processes share.
export LLVM_PROFILE_FILE="$folder/profiles/%c%8m.profraw"
failed=

attempt() {
    "$@" || failed="$failed
    $*"
}

attempt "$cargo" test --locked --no-fail-fast --features sandbox,redis --lib --bins --test core --test logger

stage=$PWD/target/stage-coverage
"${PYTHON:-python3}" packaging/c.py build --profile dev "$folder/c" capi,redis,test-panic
"${PYTHON:-python3}" packaging/c.py install "$folder/c" --no-strip --prefix="$stage"
# What makes one object of it drops what says which counter is which; rustc's own link keeps it.
"$cargo" rustc --locked --lib --crate-type cdylib --features capi,redis,test-panic -- \
    -Clink-arg=-Wl,-soname,libclazar_auth.so.0,-z,nodelete
cp --remove-destination "$folder/build/debug/libclazar_auth.so" "$stage/lib/libclazar_auth.so.0"
CLAZAR_STAGE=stage-coverage attempt "$cargo" test --locked --features sandbox --test c -- --skip package:: --skip abi::

python=$folder/venv/bin/python
[ -x "$python" ] || "${PYTHON:-python3}" -m venv "$folder/venv"
"$python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    -r packaging/maturin.txt -r tests/python/requirements.txt
"$folder/venv/bin/maturin" build --quiet --out "$folder/wheel"
"$python" -m pip install --quiet --disable-pip-version-check --no-index --force-reinstall "$folder"/wheel/*.whl
CLAZAR_STAGE=stage-coverage CLAZAR_PYTHON=$python attempt "$cargo" test --locked --features sandbox,redis --test faults
attempt "$python" -m pytest -m 'not c and not node' --ignore tests/python/test_wheels.py

"$tools/llvm-profdata" merge --sparse "$folder"/profiles/*.profraw -o "$folder/all.profdata"
set -- "$folder"/venv/lib/*/site-packages/clazar_auth/_native*.so "$stage/lib/libclazar_auth.so"
for program in "$folder"/build/debug/deps/*; do
    if [ -x "$program" ] && [ -f "$program" ]; then set -- "$@" "$program"; fi
done
for object; do
    shift
    set -- "$@" --object "$object"
done
"$tools/llvm-cov" export --format=lcov --instr-profile "$folder/all.profdata" "$@" --sources "$PWD/src" >"$folder/lcov"
[ -z "$failed" ] || echo "failed, perhaps for being slower or larger while lines are counted: $failed" >&2
"$python" tests/coverage.py "$folder/lcov"
