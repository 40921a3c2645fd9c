#!/usr/bin/env bash
# post-image.sh IMAGES: Buildroot calls it; the same assembly of the ISO as with Debian's parts, with
# Buildroot's GRUB and tools. A profile without a kernel of its own takes LANAI_KERNEL, an unpacked
# kernel package, and the machine's GRUB.
set -euo pipefail
board=$(dirname "$(readlink -f "$0")")
image=$(readlink -f "$board/../../..")
images=${1:?IMAGES}
: "${TARGET_DIR:?Buildroot sets it}" "${BUILD_DIR:?}" "${HOST_DIR:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ -e $images/bzImage ]]; then
	kernel=$work/kernel
	version=$(basename "$TARGET_DIR"/lib/modules/*)
	mkdir -p "$kernel/boot" "$kernel/lib" "$work/grub"
	cp "$images/bzImage" "$kernel/boot/vmlinuz-$version"
	cp "$BUILD_DIR"/linux-[0-9]*/.config "$kernel/boot/config-$version"
	cp -a "$TARGET_DIR/lib/modules" "$kernel/lib/"
	for platform in i386-pc x86_64-efi; do
		ln -s "$(echo "$BUILD_DIR"/grub2-[0-9]*)/build-$platform/grub-core" "$work/grub/$platform"
	done
	export GRUB_LIBRARY=$work/grub
elif [[ -n ${LANAI_KERNEL-} ]]; then
	kernel=$LANAI_KERNEL
else
	echo "error: this profile has no kernel, and LANAI_KERNEL names no unpacked kernel package" >&2
	exit 1
fi
PATH=$HOST_DIR/bin:$HOST_DIR/sbin:$PATH
"$image/modules" "$kernel" "$image/modules.list" "$image/linux.fragment" "$work/modules"
cp -a "$TARGET_DIR" "$work/rootfs"
rm -f "$work/rootfs/THIS_IS_NOT_YOUR_ROOT_FILESYSTEM"
# So that a running kernel can be asked what it has.
install -D -m 644 "$kernel"/boot/config-* -t "$work/rootfs/boot"
"$image/assemble" "$work/rootfs" "$kernel"/boot/vmlinuz-* "$work/modules" "$images/lanai.iso"
