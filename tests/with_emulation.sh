#!/bin/sh
# Runs a command for which the kernel starts programs for another processor with qemu: with_emulation.sh aarch64|s390x
# COMMAND... That holds in a namespace of users of its own, and for this command alone. As root, in Debian unstable.
set -eu

machine=$1
shift
if [ "$1" != inside ]; then
    exec unshare --user --map-root-user --mount "$0" "$machine" inside "$@"
fi
shift
zeros='\x00\x00\x00\x00\x00\x00\x00\x00\x00'
ones='\xff\xff\xff\xff\xff\xff\xff'
case $machine in
aarch64) elf="\\x02\\x01\\x01$zeros\\x02\\x00\\xb7\\x00" type='\xfe\xff\xff\xff' loader=ld-linux-aarch64.so.1 ;;
s390x) elf="\\x02\\x02\\x01$zeros\\x00\\x02\\x00\\x16" type='\xff\xfe\xff\xff' loader=ld64.so.1 ;;
esac
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
# shellcheck disable=SC2028  # the kernel expands it
echo ":$machine:M::\\x7fELF$elf:$ones\\x00$ones\\xff$type:/usr/bin/qemu-$machine:" >/proc/sys/fs/binfmt_misc/register
# The C library is found where it is on such a machine.
ln -sf "/usr/$machine-linux-gnu/lib/$loader" /usr/lib
ln -sf "/usr/$machine-linux-gnu/lib"/*.so.* "/usr/lib/$machine-linux-gnu"
exec "$@"
