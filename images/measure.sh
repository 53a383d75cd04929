#!/usr/bin/env bash
# Lays out both images, tells what is in them and how large they are, and starts the webhook inside its own, as a container would.
#
#   images/measure.sh FOLDER      FOLDER is made; needs root, for chroot
#
# What is no part of it: Amazon's CA bundle (170 KB), which the reconciler's Dockerfile adds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. testbed/requirements.sh

folder=${1:-}
[ -n "$folder" ] || { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "images/measure.sh: chroot needs root" >&2; exit 1; }
requirements
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

for service in webhook reconciler; do
  root=$folder/$service
  [ -d "$root" ] || images/root.sh "$service" "$root"
  tar --sort=name --owner=0 --group=0 --numeric-owner --create --file "$folder/archive" --directory "$root" .
  printf '%s: %d bytes in files, %d compressed, sha256 of the archive %s\n' "$service" \
    "$(find "$root" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')" \
    "$(gzip --best --stdout "$folder/archive" | wc -c)" "$(sha256sum "$folder/archive" | cut -c1-16)"
  rm "$folder/archive"
  find "$root" -type f -printf '  %10s /%P\n'
done

# The benchmark starts a program with files of its own; inside, they are where they are outside.
root=$folder/inside
rm -rf "$root"
cp -a "$folder/webhook" "$root"
mkdir -p "$root/tmp" "$root$(dirname "$root")"
ln -s / "$root$root"
printf '#!/bin/sh\nexec %s %s /usr/bin/rds-webhook "$@"\n' "$(command -v chroot)" "$root" >"$folder/start"
chmod +x "$folder/start"
cargo build --profile tools --locked --package bench
TMPDIR=$root/tmp "$(target_directory)/tools/bench" webhook --program "$folder/start" --only 'small, 500/s' --rounds 1 --seconds 2
rm -rf "$root"
