#!/usr/bin/env bash
# Makes the image that both Dockerfiles build in, under its official name, out of Debian's packages and this machine's Rust.
#
#   testbed/builder/base.sh IMAGE      called by run.sh, which says where buildah keeps its images
#
# As the official one it has Debian's smallest system with a C compiler and public authorities, and Rust where rustup's variables say.
# What is not made alike is not used here: no documentation of Rust's, and Debian without its security archive.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

image=$1
debian=${image##*-}
version=$(rustc --version | cut -d' ' -f2)
host=$(rustc --print host-tuple)
sysroot=$(rustc --print sysroot)

# What it is made of. A machine whose compiler or C library were updated wants another one, or its own programs would differ from it.
key=$({ cat testbed/builder/base.sh; rustc -vV; dpkg-query --show libc6-dev gcc 2>/dev/null || true; } | sha256sum | cut -c1-12)
if [ "$(buildah inspect --type image --format '{{index .OCIv1.Config.Labels "made-of"}}' "$image" 2>/dev/null)" = "$key" ]; then exit; fi

# The machine's own source of Debian, and its way there.
# shellcheck disable=SC2016  # apt's own variables
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' 2>/dev/null \
  | awk -v release="$debian" '$1 == "Packages" && $2 == release && $3 == "main" { print $4; exit }')
mirror=${mirror:-http://deb.debian.org/debian}
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
export http_proxy=${http_proxy:-} https_proxy=${https_proxy:-}

# What was built on an older one is of no use any more.
buildah rmi --all --force >/dev/null 2>&1 || true
container=$(buildah from scratch)
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")
printf 'builder: debootstrap of %s, and Rust %s\n' "$debian" "$version" >&2
debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev "$debian" "$root" "$mirror" >"$root.log" 2>&1 \
  || { tail -n 20 "$root.log" >&2; exit 1; }
rm -rf "$root.log" "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*

toolchain=/usr/local/rustup/toolchains/$version-$host
mkdir -p "$root$toolchain" "$root/usr/local/cargo/bin"
tar --create --directory "$sysroot" --exclude=./share/doc --exclude=./share/man --exclude=./lib/rustlib/src . \
  | tar --extract --directory "$root$toolchain" --no-same-owner
if rustup=$(command -v rustup); then
  # Its proxies choose the toolchain, as in the official image.
  cp "$(readlink -f "$rustup")" "$root/usr/local/cargo/bin/rustup"
  for program in cargo rustc; do ln "$root/usr/local/cargo/bin/rustup" "$root/usr/local/cargo/bin/$program"; done
  printf 'default_toolchain = "%s-%s"\nprofile = "minimal"\nversion = "12"\n\n[overrides]\n' "$version" "$host" >"$root/usr/local/rustup/settings.toml"
else
  for program in cargo rustc; do ln -s "$toolchain/bin/$program" "$root/usr/local/cargo/bin/$program"; done
fi
chmod -R a+w "$root/usr/local/rustup" "$root/usr/local/cargo"

buildah config --label "made-of=$key" --cmd '["bash"]' \
  --env RUSTUP_HOME=/usr/local/rustup --env CARGO_HOME=/usr/local/cargo --env "RUST_VERSION=$version" \
  --env PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit --quiet "$container" "$image" >/dev/null
