#!/bin/sh
# Install what building and testing Tamarix needs and this machine does not
# have, with Debian's apt. Says what it does; does nothing when all is there.
#
#   scripts/deps.sh        for make run: QEMU
#   scripts/deps.sh gui    for make run-gui: QEMU with a window, UEFI firmware if $OVMF
#                          names its file
#   scripts/deps.sh usb    for make usb: GRUB, and the tools that make the image
#   scripts/deps.sh test   for make test: all of those, UEFI firmware for QEMU, a C
#                          compiler with musl, the tools that unpack Debian packages
set -eu

want=""
need() { # command package
	command -v "$1" >/dev/null 2>&1 || want="$want $2"
}
mode=${1:-run}
qemu=${QEMU:-qemu-system-x86_64}
[ "$mode" = usb ] || need "$qemu" qemu-system-x86
if [ "$mode" = gui ]; then
	"$qemu" -display help 2>/dev/null | grep -qxE 'gtk|sdl' || want="$want qemu-system-gui"
	[ -z "${OVMF:-}" ] || [ -e "$OVMF" ] || want="$want ovmf"
fi
if [ "$mode" = usb ] || [ "$mode" = test ]; then
	need grub-mkimage grub-common
	[ -e /usr/lib/grub/i386-pc/moddep.lst ] || want="$want grub-pc-bin"
	[ -e /usr/lib/grub/x86_64-efi/moddep.lst ] || want="$want grub-efi-amd64-bin"
	need xorriso xorriso
	need mformat mtools
fi
if [ "$mode" = test ]; then
	[ -e /usr/share/OVMF/OVMF_CODE.fd ] || want="$want ovmf"
	need gcc gcc
	need musl-gcc musl-tools
	need dpkg-deb dpkg
	# Headers: gcc only recommends them, and the race detector needs them.
	[ -e /usr/include/stdio.h ] || want="$want libc6-dev"
	[ -e /usr/include/linux/futex.h ] || want="$want linux-libc-dev"
fi

if ! command -v go >/dev/null 2>&1; then
	echo "deps.sh: there is no go command: Tamarix needs the Go toolchain 1.26 or newer (Debian 12's own is too old)" >&2
	exit 1
fi
[ -n "$want" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
	echo "deps.sh: please install$want (no apt-get here)" >&2
	exit 1
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || { echo "deps.sh: root is needed to install$want" >&2; exit 1; }
	sudo=sudo
fi
echo "deps.sh: installing$want"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # words are wanted
$sudo apt-get install -y -qq --no-install-recommends $want >/dev/null 2>&1 || {
	$sudo apt-get update -qq
	$sudo apt-get install -y -qq --no-install-recommends $want >/dev/null
}
