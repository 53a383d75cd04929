#!/usr/bin/env bash
# Builds a service and lays out the root folder of its image: the program, what it loads, and nothing else, no shell either.
#
#   images/root.sh webhook|reconciler FOLDER [PROGRAM]
#
# A PROGRAM that is built already is laid out as it is: a test bed has no minutes for the compiler.
#
# The Dockerfiles run it, and so can anyone without a container engine: the folder it leaves is the image's content. The same source gives
# the same bytes, wherever the checkout lies.
set -euo pipefail

service=${1:-} root=${2:-} built=${3:-}
case $service in webhook | reconciler) ;; *) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
[ -n "$root" ] || { echo "images/root.sh: where shall the folder be?" >&2; exit 2; }
mkdir -p "$root"
root=$(cd "$root" && pwd)
[ -z "$(ls -A "$root")" ] || { echo "images/root.sh: $root is not empty" >&2; exit 2; }
[ -z "$built" ] || built=$(readlink -e "$built") || { echo "images/root.sh: there is no ${3}" >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=rds-$service

if [ -z "$built" ]; then
  host=$(rustc --print host-tuple)
  cargo_home=${CARGO_HOME:-$HOME/.cargo}
  # Nothing of where it was built may stay in the program: names of files are part of panics, and of the errors of the C library inside.
  flags="--remap-path-prefix=$PWD=/src --remap-path-prefix=$cargo_home=/cargo"
  export CFLAGS="-ffile-prefix-map=$PWD=/src -ffile-prefix-map=$cargo_home=/cargo"
  case $service in
    # Its only peer by name would be an API server, and a Pod is told that one's address: what a static glibc cannot do is not needed.
    webhook) flags+=" -C target-feature=+crt-static" ;;
    # AWS and databases are found by name, as the cluster's DNS wants, so it loads the C library.
    reconciler) ;;
  esac
  # The target is named, also where it is the host's own: the flags are for the program, not for build scripts and macros.
  RUSTFLAGS=$flags cargo build --locked --release --package "$service" --bin "$program" \
    --target "$host" --target-dir "target/images/$service"
  built=target/images/$service/$host/release/$program
fi
install -D -m 0755 "$built" "$root/usr/bin/$program"
install -D -m 0644 LICENSE "$root/usr/share/doc/$program/LICENSE"

# What the program loads, under the very names it asks for; a static one loads nothing.
libraries() { ldd "$1" 2>/dev/null | grep -o '/[^ ]*' || true; }
while IFS= read -r library; do
  install -D -m 0755 "$(readlink -f "$library")" "$root$library"
done < <(libraries "$root/usr/bin/$program")

if [ "$service" = reconciler ]; then
  # The public authorities that AWS's own API is verified by.
  authorities=/etc/ssl/certs/ca-certificates.crt
  [ -r "$authorities" ] || { echo "missing: $authorities (Debian: apt-get install ca-certificates)" >&2; exit 1; }
  install -D -m 0644 "$authorities" "$root$authorities"
fi

# One time for all files, that of the source where it is known: an image is the sum of its files and their dates.
find "$root" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +
