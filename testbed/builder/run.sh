#!/usr/bin/env bash
# Builds both images by their Dockerfiles with Debian's buildah, and holds them to what images/root.sh lays out without a builder.
#
#   testbed/builder/run.sh
#
# Needs root. What is missing is installed by apt-get, or said. The base image is made here (base.sh) and nothing is pulled; it, the crates and
# what is compiled stay in the user's cache folder, some GB, and mounts end with the run. The reconciler's image gets a bundle of authorities
# from a server on loopback: where Amazon publishes its own is no part of it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
say() { printf 'builder: %s\n' "$*" >&2; }
skip() { say "SKIPPED both images: $*"; exit 0; }

[ "$(id -u)" = 0 ] || skip "mounts and chroot need root"
lacking=()
for program in buildah debootstrap python3; do command -v "$program" >/dev/null || lacking+=("$program"); done
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || lacking+=(debian-archive-keyring)
if [ ${#lacking[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || skip "there is no ${lacking[*]}, and no apt-get"
  say "apt-get installs ${lacking[*]}"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${lacking[@]}"; } >/dev/null \
    || skip "apt-get cannot install ${lacking[*]}"
fi
if [ "${1:-}" != inside ]; then
  # What is mounted goes when the last process goes, also after a kill.
  unshare --mount true 2>/dev/null || skip "there are no mount namespaces"
  exec unshare --mount "$here/run.sh" inside
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/rds-operator/builder
mkdir -p "$cache/tmp"
exec 9>"$cache/.lock"
flock -n 9 || { say "another run is under way, waiting for it"; flock 9; }
# Buildah's images, containers and caches, apart from those that the machine may have.
driver=$(buildah --root "$cache/images" --runroot "$cache/run" info --format '{{.store.GraphDriverName}}')
printf '[storage]\ndriver = "%s"\ngraphroot = "%s/images"\nrunroot = "%s/run"\n' "$driver" "$cache" "$cache" >"$cache/storage.conf"
export CONTAINERS_STORAGE_CONF=$cache/storage.conf TMPDIR=$cache/tmp
work=$(mktemp -d)
server=
# shellcheck disable=SC2317  # called by trap
ending() {
  [ -z "$server" ] || kill "$server"
  buildah rm --all >/dev/null || true
  rm -rf "$work"
}
trap ending EXIT

# The version that both Dockerfiles build with must be the one that the checkout is tested with.
version=$(rustc --version | cut -d' ' -f2)
for service in webhook reconciler; do
  said=$(sed -n 's/^ARG RUST_VERSION=//p' "Dockerfile.$service")
  [ "$said" = "$version" ] || { say "Dockerfile.$service builds with Rust $said, and rust-toolchain.toml picks $version"; exit 1; }
done
base=docker.io/library/rust:$version-slim-bookworm
"$here/base.sh" "$base"
base_root=$(buildah mount "$(buildah from --pull-never "$base")")

# The way to the crates is the machine's: mounted while building, and in no image.
mkdir "$work/cargo"
trusted=${CARGO_HTTP_CAINFO:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
if [ -r "$trusted" ]; then
  cp "$trusted" "$work/cargo/trusted.crt"
  printf '[http]\ncainfo = "/.cargo/trusted.crt"\n' >"$work/cargo/config.toml"
fi
volumes=(--volume "$work/cargo:/.cargo:ro")
own=${CARGO_HOME:-$HOME/.cargo}/config.toml
[ ! -r "$own" ] || volumes+=(--volume "$own:/usr/local/cargo/config.toml:ro")

# A stand-in for the bundle: Amazon's roots on the web are not those of RDS, and they are at hand.
mkdir "$work/bundle"
cat "$base_root"/usr/share/ca-certificates/mozilla/Amazon_Root_CA_*.crt >"$work/bundle/bundle.pem"
# A builder dates what it fetches by what the server says.
touch --date="@${SOURCE_DATE_EPOCH:-0}" "$work/bundle/bundle.pem"
sum=$(sha256sum "$work/bundle/bundle.pem" | cut -d' ' -f1)
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$work/bundle" >"$work/server" 2>&1 9>&- &
server=$!
for _ in $(seq 100); do grep -q ' port ' "$work/server" && break; sleep 0.1; done
url=http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$work/server")/bundle.pem

build() {
  local service=$1
  shift
  buildah build --isolation chroot --pull-never --layers --identity-label=false "${volumes[@]}" "$@" \
    --file "Dockerfile.$service" --tag "rds-$service:trial" . >"$work/$service.log" 2>&1
}

failed=0
for service in webhook reconciler; do
  arguments=(--build-arg "SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}")
  [ "$service" = webhook ] || arguments+=(--build-arg "RDS_CA_URL=$url" --build-arg "RDS_CA_SHA256=$sum")
  started=$SECONDS
  say "building the $service's image: minutes where nothing is compiled yet"
  build "$service" "${arguments[@]}" || { tail -n 40 "$work/$service.log" >&2; say "FAILED Dockerfile.$service"; exit 1; }
  say "built in $((SECONDS - started)) s; the same without a builder"
  images/root.sh "$service" "$work/$service" >"$work/root.log" 2>&1 || { tail -n 40 "$work/root.log" >&2; exit 1; }
  [ "$service" = webhook ] || install -D -m 0444 "$work/bundle/bundle.pem" "$work/reconciler/etc/rds-ca/global-bundle.pem"
  "$here/compare.sh" "$service" "rds-$service:trial" "$work/$service" "$base_root" || { say "FAILED $service"; failed=1; }
done

# All layers are there by now, up to the bundle.
if build reconciler "${arguments[@]/$sum/${sum//[0-9]/0}}"; then
  say "FAILED a bundle with another sum was taken"
  failed=1
elif ! grep -q 'bundle.pem: FAILED' "$work/reconciler.log"; then
  tail -n 40 "$work/reconciler.log" >&2
  failed=1
else
  printf 'reconciler: a bundle with another sum is refused\n'
fi
# The images stay; what they were made of step by step does not: a run without changes finds everything compiled.
buildah rm --all >/dev/null
buildah rmi --prune --force >/dev/null 2>&1 || true
exit "$failed"
