#!/bin/sh
# Runs a command in Debian unstable, which is put into target/sid: debian_unstable.sh PACKAGE,... COMMAND... Where that
# cannot be, it ends with 77, as test programs do that were skipped.
set -eu
cd "$(dirname "$0")/.."

packages=$1
shift
chroot=$PWD/target/sid
caches=${CARGO_HOME:-$HOME/.cargo}/registry

skip() {
    echo "not run: Debian unstable $1${HINT+; $HINT}" >&2
    exit 77
}

[ "$(id -u)" -eq 0 ] || skip "needs root"
unshare --mount true 2>/dev/null || skip "needs mounts, which are refused here"
command -v debootstrap >/dev/null ||
    { apt-get -qq update && apt-get -qq -y --no-install-recommends install debootstrap; } >/dev/null ||
    skip "needs debootstrap"

if [ ! -e "$chroot/installed" ]; then
    echo "Installing Debian unstable into $chroot..."
    rm -rf "$chroot"
    debootstrap --variant=minbase --include=ca-certificates sid "$chroot" >target/sid.log ||
        skip "cannot be installed, see target/sid.log"
    touch "$chroot/installed"
fi
mkdir -p "$chroot$PWD" "$chroot$caches" "$caches"
cp /etc/hosts /etc/resolv.conf "$chroot/etc"
cp /etc/ssl/certs/ca-certificates.crt "$chroot/etc/ssl/certs"

# The mounts are gone when the command has ended.
export chroot caches packages
# shellcheck disable=SC2016  # the inner shell expands it
exec unshare --mount sh -euc '
    mount --bind "$chroot" "$chroot"
    for folder in /dev /proc /sys; do mount --rbind $folder "$chroot$folder"; done
    for folder in "$PWD" "$caches"; do mount --bind "$folder" "$chroot$folder"; done
    names=$(echo "$packages" | tr , " ")
    # shellcheck disable=SC2086
    chroot "$chroot" dpkg-query --show $names >/dev/null 2>&1 || {
        chroot "$chroot" apt-get --quiet=2 -o Acquire::Check-Valid-Until=false update
        DEBIAN_FRONTEND=noninteractive chroot "$chroot" \
            apt-get --quiet=2 --no-install-recommends install $names
    } >>target/sid.log
    # Where chroot was called, no user namespace can be made.
    folder=$PWD
    cd "$chroot"
    pivot_root . .
    umount --lazy .
    exec env -C "$folder" CARGO_HOME="${caches%/registry}" PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
' sh "$@"
