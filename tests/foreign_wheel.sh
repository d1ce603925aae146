#!/bin/sh
# Builds the wheel for aarch64, and tries it with Debian's Python for aarch64 under qemu. As root, in Debian unstable,
# which `make platforms` sees to.
set -eu
cd "$(dirname "$0")/.."

packaging/wheel-for aarch64-unknown-linux-gnu

# It is unpacked, not installed: beside this machine's there is no room for another one.
root=$PWD/target/python-aarch64
if [ ! -e "$root/unpacked" ]; then
    rm -rf "$root"
    mkdir -p "$root/packages"
    dpkg --add-architecture arm64
    apt-get --quiet=2 -o Acquire::Check-Valid-Until=false update
    for package in libc6 libexpat1 libffi8 libgcc-s1 libpython3.14-minimal libpython3.14-stdlib libssl3t64 libzstd1 \
        python3.14-minimal zlib1g; do
        (cd "$root/packages" && apt-get --quiet=2 download $package:arm64)
    done
    for package in "$root"/packages/*.deb; do dpkg-deb --extract "$package" "$root"; done
    ln -s usr/lib "$root/lib"
    touch "$root/unpacked"
fi
export QEMU_LD_PREFIX="$root"
rm -rf "$root/venv"
tests/with_emulation.sh aarch64 "$root/usr/bin/python3.14" -m venv --without-pip "$root/venv"
# By this machine's pip; that one would take minutes.
python3 -m pip install --quiet --no-index --python-version 3.14 --only-binary :all: --platform manylinux_2_17_aarch64 \
    --target "$root/venv/lib/python3.14/site-packages" target/wheel-aarch64-unknown-linux-gnu/*.whl
tests/with_emulation.sh aarch64 "$root/venv/bin/python" -X dev -W error tests/python/smoke.py
