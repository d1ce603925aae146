#!/bin/sh
# Builds the wheel for macOS on arm64 into target/wheel-macos, and checks it: macos_python.sh FLAGS-OF-RUSTC... Nothing
# here can run it.
set -eu
cd "$(dirname "$0")/.."

wheels=target/wheel-macos
rm -rf $wheels

# Libraries of the system by their names alone: what they have is looked up when the module is loaded.
stub() {
    mkdir -p "$(dirname "target/macos-stubs/$1")"
    cat >"target/macos-stubs/$1" <<EOF
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '$2'
...
EOF
}
for framework in CoreFoundation Security; do
    name=$framework.framework
    stub $name/$framework.tbd /System/Library/Frameworks/$name/Versions/A/$framework
done
stub libiconv.tbd /usr/lib/libiconv.2.dylib

# What is linked in is that for macOS; the next wheel may be for another system.
trap 'rm -f THIRD-PARTY-LICENSES' EXIT
CARGO_BUILD_TARGET=aarch64-apple-darwin python3 packaging/notices.py python,redis >THIRD-PARTY-LICENSES
mkdir -p target/sbom
sbom=$PWD/target/sbom/clazar_auth.cyclonedx.json
CARGO_BUILD_TARGET=aarch64-apple-darwin python3 packaging/sbom.py python,redis >"$sbom"

# There is no SDK; without a name for it, one is looked for.
export SDKROOT=/nowhere
export CARGO_TARGET_DIR="$PWD/target/macos"
export CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER="$PWD/tests/macos/cc"
export CC_aarch64_apple_darwin="$PWD/tests/macos/cc" AR_aarch64_apple_darwin="$PWD/tests/macos/ar"
tests/with_std_source.sh "$PWD/.venv/bin/maturin" build --quiet --release --sbom-include "$sbom" --target aarch64-apple-darwin --out $wheels -- "$@"
# An empty file, which zig leaves.
rm -f a.o
# Without root or debootstrap nothing was built, and a message said so.
[ -e $wheels ] || exit 0
.venv/bin/python tests/python/check_wheel.py $wheels/*.whl cp310-abi3-macosx_11_0_arm64
