#!/usr/bin/env bash
# Holds a built image to the root folder that images/root.sh laid out on this machine, starts its program, and tells sizes.
#
#   testbed/builder/compare.sh SERVICE IMAGE FOLDER BASE      called by run.sh; BASE is where the image that it was built in is mounted
#
# Names, kinds, owners, modes and dates must be equal, and bytes where this machine's compiler and C library are the base's. The public
# authorities are never this machine's, which may trust its own: they must be those of the base.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

service=$1 image=$2 folder=$3 base=$4
root=$(buildah mount "$(buildah from --pull-never "$image")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One line for each file. A folder's date is that of the last change in it, which a copy is.
listed() {
  (cd "$1" && find . -mindepth 1 \( -type d -printf '%P/ %#m %U:%G\n' -o -printf '%P %#m %U:%G %y %Ts %l\n' \)) | LC_ALL=C sort
}
sums() { (cd "$1" && find . -type f -exec sha256sum {} +) | LC_ALL=C sort --key 2; }
# The compiler and the C library, as Debian's packages.
compilers() {
  # shellcheck disable=SC2016  # dpkg's own variables
  dpkg-query --admindir="$1" --show --showformat '${source:Package} ${binary:Package} ${Version}\n' 2>/dev/null \
    | sed -nE 's/^(gcc-[0-9]+|glibc|binutils) //p' | LC_ALL=C sort
}

authorities=etc/ssl/certs/ca-certificates.crt
if [ "$service" = reconciler ]; then cp --preserve=mode,timestamps --no-preserve=ownership "$base/$authorities" "$folder/$authorities"; fi
find "$folder" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +

diff <(listed "$folder") <(listed "$root") >"$work/differences" \
  || { printf '%s: the builder made other files (>) than images/root.sh (<)\n' "$service"; cat "$work/differences"; exit 1; } >&2
other=$(comm -23 <(compilers "$base/var/lib/dpkg") <(compilers /var/lib/dpkg) | tr '\n' ' ')
if [ -n "$other" ]; then
  printf '%s: the same names and modes as by images/root.sh; bytes not compared, for the base image has %s\n' "$service" "$other"
else
  diff <(sums "$folder") <(sums "$root") >"$work/differences" \
    || { printf '%s: the builder made other bytes (>) than images/root.sh (<)\n' "$service"; cat "$work/differences"; exit 1; } >&2
  printf '%s: the same %d files as by images/root.sh, byte for byte\n' "$service" "$(find "$root" -type f | wc -l)"
fi

# images/archive.sh reads the Dockerfile by itself, and must come to the same.
images/archive.sh "rds-$service:trial" "$folder" "$work/archive" --dockerfile "Dockerfile.$service"
tar --extract --file "$work/archive" --directory "$work" --wildcards '[0-9a-f]*.json'
buildah inspect --type image "$image" >"$work/image"
python3 - "$service" "$work/image" "$work"/*.json <<'PYTHON'
import json, sys
service, image, archive = sys.argv[1], json.load(open(sys.argv[2])), json.load(open(sys.argv[3]))
built, archived = image["OCIv1"]["config"], archive["config"]
for key in "Entrypoint", "User", "ExposedPorts", "Labels":
    if built.get(key) != archived.get(key):
        sys.exit(f"{service}: {key} is {built.get(key)} in the image and {archived.get(key)} by images/archive.sh")
PYTHON

# As its user and with nothing but the image.
said=$(chroot --userspec=65532:65532 "$root" "/usr/bin/rds-$service" --version)
buildah push --quiet "$image" "oci-archive:$work/pushed" >/dev/null
printf '%s: %s starts; program %d bytes, all files %d, image compressed %d\n' "$service" "$said" "$(stat --format %s "$root/usr/bin/rds-$service")" \
  "$(find "$root" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')" "$(stat --format %s "$work/pushed")"
