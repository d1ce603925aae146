#!/bin/sh
# Builds a Python 3.14 that Debian has no package of, and tries the wheel with it: built_python.sh free-threaded|musl.
# As root, in Debian unstable, which `make platforms` sees to.
set -eu
cd "$(dirname "$0")/.."

kind=$1
root=$PWD/target/python-3.14.7-$kind
python=$root/bin/python3.14
case $kind in
free-threaded)
    target=$(uname -m)-unknown-linux-gnu
    for_maturin="--interpreter $root/bin/python3.14t"
    tags="--platform manylinux_2_17_$(uname -m) --abi cp314t"
    set -- --disable-gil
    ;;
musl)
    target=$(uname -m)-unknown-linux-musl
    for_maturin=
    tags="--platform musllinux_1_2_$(uname -m)"
    # What pkg-config knows is for Debian's own C library.
    set -- CC="$root/cc" PKG_CONFIG=false
    ;;
esac

if [ ! -e "$root/installed" ]; then
    rm -rf "$root"
    mkdir -p "$root/source"
    # Debian's is the same file, for as long as it has this version.
    for url in https://www.python.org/ftp/python/3.14.7/Python-3.14.7.tar.xz \
        http://deb.debian.org/debian/pool/main/p/python3.14/python3.14_3.14.7.orig.tar.xz; do
        curl --fail --silent --show-error --location --output "$root/source.tar.xz" $url && break
    done
    echo "3b48dac8fb59f62eaa67ac83c1eb12bda1b7a08406dd286e252c11a66be27f81  $root/source.tar.xz" | sha256sum --check
    tar --extract --file "$root/source.tar.xz" --directory "$root/source" --strip-components 1
    # shellcheck disable=SC2016  # the other shell expands it
    # gcc would name the C library that is Debian's own.
    printf '#!/bin/sh\n[ "$1" = --print-multiarch ] || exec musl-gcc "$@"\n' >"$root/cc"
    chmod +x "$root/cc"
    (
        cd "$root/source"
        ./configure --quiet --prefix="$root" --disable-test-modules --without-ensurepip "$@"
        make --silent --jobs "$(nproc)"
        make --silent install
    )
    rm -rf "$root/source" "$root/source.tar.xz"
    touch "$root/installed"
fi

# shellcheck disable=SC2086  # several words
packaging/wheel-for "$target" $for_maturin
rm -rf "$root/venv"
"$python" -m venv --without-pip "$root/venv"
# By Debian's pip: the Python for musl has no zlib, which pip needs.
# shellcheck disable=SC2086  # several words
python3 -m pip install --quiet --no-index --python-version 3.14 --only-binary :all: $tags \
    --target "$root"/venv/lib/python3.14*/site-packages target/wheel-"$target"/*.whl
"$root/venv/bin/python" -X dev -W error tests/python/smoke.py
