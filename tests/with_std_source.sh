#!/bin/sh
# Runs a command that builds the standard library anew, with a Rust toolchain that can: this machine's, if it has the
# source of that library, or Debian unstable's, which is put into target/sid.
set -eu
cd "$(dirname "$0")/.."

# Also what the tests need there.
packages=ca-certificates,g++,make,openssl,python3,redis-server,rust-src,rustc,cargo
chroot=$PWD/target/sid
caches=${CARGO_HOME:-$HOME/.cargo}/registry

skip() {
    echo "skipped: $1; \`rustup component add rust-src\` brings what is needed too" >&2
    exit 0
}

# -Z is for a nightly compiler, or for one that is told to be like it.
export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test,proc_macro

if [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]; then
    exec "$@"
fi
[ "$(id -u)" -eq 0 ] || skip "a toolchain from Debian unstable needs root"
command -v debootstrap >/dev/null || skip "a toolchain from Debian unstable needs debootstrap"
unshare --mount true 2>/dev/null || skip "a toolchain from Debian unstable needs mounts, which are refused here"

if [ ! -e "$chroot/installed" ]; then
    echo "Installing Debian unstable into $chroot..."
    rm -rf "$chroot"
    debootstrap --variant=minbase --include="$packages" sid "$chroot" >target/sid.log ||
        skip "debootstrap failed, see target/sid.log"
    touch "$chroot/installed"
fi
mkdir -p "$chroot$PWD" "$chroot$caches" "$caches"
cp /etc/hosts /etc/resolv.conf "$chroot/etc"
cp /etc/ssl/certs/ca-certificates.crt "$chroot/etc/ssl/certs"

# The mounts are gone when the command has ended.
export chroot caches
# shellcheck disable=SC2016  # the inner shell expands it
exec unshare --mount sh -euc '
    for folder in /dev /proc /sys; do mount --rbind $folder "$chroot$folder"; done
    for folder in "$PWD" "$caches"; do mount --bind "$folder" "$chroot$folder"; done
    exec chroot "$chroot" env -C "$PWD" CARGO_HOME="${caches%/registry}" PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
' sh "$@"
