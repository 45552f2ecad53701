#!/bin/sh
# SPDX-License-Identifier: MIT
# The paravirtual disk: what the guest writes to its sector is in the file afterwards, and there again the next time.
set -eu

mvmm=$1 plugin=$2
image=$(mktemp)
trap 'rm -f "$image"' EXIT
{ printf '\000\000\000\000It was written.\n'; head -c 492 /dev/zero; } > "$image"
for boots in 1 2 3; do
	text=$("$mvmm" --plugin "$plugin" --params "$image")
	[ "$text" = "It was written." ] || { echo "run $boots printed: $text" >&2; exit 1; }
done
counter=$(od -An -tu4 -N4 "$image" | tr -d ' ')
[ "$counter" = 3 ] || { echo "the counter is $counter after 3 runs" >&2; exit 1; }
[ "$(stat -c %s "$image")" = 512 ] || { echo "the image changed its size" >&2; exit 1; }
[ "$("$mvmm" --plugin "$plugin")" = "Hello from sector 0." ]
