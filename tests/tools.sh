#!/bin/sh
# Installs what the tests need from the system: valgrind, curl, Redis, and Node.js with npm.
set -eu

missing=
for tool in valgrind curl redis-server node npm; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests need$missing, which are missing. On Debian or Ubuntu, as root:" >&2
    echo "    apt-get install valgrind curl redis-server nodejs npm" >&2
    exit 1
fi
echo "Installing$missing ..."
packages=$(echo "$missing" | sed 's/\bnode\b/nodejs/')
apt-get update -qq
# shellcheck disable=SC2086  # one word a package
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $packages >/dev/null
