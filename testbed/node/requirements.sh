#!/usr/bin/env bash
# Says in one line what this machine lacks for a node, and ends with 3; with nothing to say it ends with 0.
#
#   testbed/node/requirements.sh             looks
#   testbed/node/requirements.sh --install   has Debian's packages installed first, where it can
set -euo pipefail

lacking() { printf '%s\n' "$*"; exit 3; }

[ "$(uname -s)" = Linux ] || lacking "Linux"
[ "$(id -u)" = 0 ] || lacking "root: namespaces, mounts and control groups are made"
PATH=$PATH:/usr/sbin:/sbin

# Packages of Debian, by a file of each.
packages() {
  local program package
  while read -r program package; do
    command -v "$program" >/dev/null || printf '%s\n' "$package"
  done <<'LIST'
unshare util-linux
ip iproute2
containerd containerd
runc runc
iptables iptables
nft nftables
conntrack conntrack
ipset ipset
cc gcc
LIST
  [ -x /usr/lib/cni/bridge ] || echo containernetworking-plugins
  compgen -G '/usr/lib/postgresql/*/bin/psql' >/dev/null || echo postgresql-client
}

missing=$(packages | sort -u | tr '\n' ' ')
if [ -n "$missing" ] && [ "${1:-}" = --install ] && command -v apt-get >/dev/null; then
  # shellcheck disable=SC2086 # one word for each package
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >&2 || true
  missing=$(packages | sort -u | tr '\n' ' ')
fi
[ -z "$missing" ] || lacking "the packages ${missing% }"

unshare --net --mount --pid --fork --mount-proc true 2>/dev/null || lacking "the right to make namespaces"
# Of version 1 each hierarchy is a folder, of version 2 all are one.
for group in /sys/fs/cgroup/memory /sys/fs/cgroup; do
  [ -d "$group" ] || continue
  probe=$group/rds-testbed-probe-$$
  mkdir "$probe" 2>/dev/null || lacking "the right to make control groups"
  rmdir "$probe"
  break
done
