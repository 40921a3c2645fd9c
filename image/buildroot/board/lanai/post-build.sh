#!/usr/bin/env bash
# post-build.sh TARGET: Buildroot calls it; the same files over Buildroot's root file system that
# image/root lays under Debian's programs.
set -euo pipefail
board=$(dirname "$(readlink -f "$0")")
target=${1:?TARGET}
: "${BUILD_DIR:?Buildroot sets it}"

# An option that busybox does not have, or has for others only, is dropped in silence.
config=$(find "$BUILD_DIR" -maxdepth 2 -path '*/busybox-[0-9]*/.config')
while read -r line; do
	if [[ $line == CONFIG_* ]] && ! grep -qxF -- "$line" "$config"; then
		echo "error: $config has no $line, which board/lanai/busybox.fragment asks for" >&2
		exit 1
	fi
done <"$board/busybox.fragment"

# Links into /tmp that must be places of their own, and services that our init does not start.
rm -rf "$target/var/log" "$target/etc/resolv.conf" "$target/etc/init.d"
"$board/../../../base" "$target"
