#!/bin/sh
# Installs what the tests need from the system: compilers, valgrind, servers, and what C programs are
# built with: tools.sh ["FILE PACKAGE"]...
set -eu

# What must be there, and the Debian package that brings it.
needed='
valgrind valgrind
curl curl
openssl openssl
redis-server redis-server
zsh zsh
fish fish
node nodejs
npm npm
g++ g++
clang++ clang
cmake cmake
luajit luajit
go golang-go
pkg-config pkg-config
doxygen doxygen
lintian lintian
systemd-analyze systemd
curl-config libcurl4-openssl-dev
/usr/include/openssl/ssl.h libssl-dev
/usr/include/uv.h libuv1-dev
/usr/include/c++/v1/string libc++-dev
/usr/include/c++/v1/cxxabi.h libc++abi-dev
/usr/share/i18n/locales/de_DE locales
'
# What else the caller needs, in the same form.
for more in "$@"; do
    needed="$needed
$more"
done
# Debian 13 and later have it.
if apt-cache show valkey-server >/dev/null 2>&1; then
    needed="$needed
valkey-server valkey-server"
fi

packages=$(echo "$needed" | while read -r what package; do
    [ -z "$what" ] || command -v "$what" >/dev/null || [ -e "$what" ] || printf '%s ' "$package"
done)
[ -z "$packages" ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests need packages that are missing. On Debian or Ubuntu, as root:" >&2
    echo "    apt-get install $packages" >&2
    exit 1
fi
echo "Installing $packages..."
apt-get update -qq
# shellcheck disable=SC2086  # one word a package
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $packages >/dev/null
