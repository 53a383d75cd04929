#!/usr/bin/env bash
# Builds the programs of the control plane from their Go modules, once, into the user's cache folder, and prints that folder.
#
# What is built: etcd, kube-apiserver and kube-controller-manager, in the versions that go.mod beside this file pins; kubectl too, where
# PATH has none. A program that KUBEBUILDER_ASSETS (the convention of envtest) holds is not built.
# Progress goes to stderr; stdout has one line, the folder. A second run finds everything there and ends at once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"

say() { printf '%s\n' "control plane: $*" >&2; }
die() { say "$*"; exit 1; }

pinned() { sed -n "s|^[[:space:]]*$1 v\([0-9.]*\)\( // indirect\)\{0,1\}$|\1|p" go.mod; }
kubernetes=$(pinned k8s.io/kubernetes)
etcd=$(pinned go.etcd.io/etcd/server/v3)
[ -n "$kubernetes" ] && [ -n "$etcd" ] || die "go.mod does not pin k8s.io/kubernetes and go.etcd.io/etcd/server/v3"

# kube-controller-manager refuses to start with the version 0.0.0 that a plain build carries.
minor=${kubernetes#*.}
version=k8s.io/component-base/version
ldflags="-s -w -X $version.gitVersion=v$kubernetes -X $version.gitMajor=${kubernetes%%.*} -X $version.gitMinor=${minor%%.*}"

key="$kubernetes-$({ cat go.mod go.sum; echo "$ldflags"; } | sha256sum | cut -c1-12)-$(uname -s)-$(uname -m)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/rds-operator/controlplane"
out="$cache/$key"
mkdir -p "$out"

missing() {
  local wanted=(etcd kube-apiserver kube-controller-manager) program
  command -v kubectl >/dev/null || wanted+=(kubectl)
  for program in "${wanted[@]}"; do
    [ -x "${KUBEBUILDER_ASSETS:+$KUBEBUILDER_ASSETS/$program}" ] || [ -x "$out/$program" ] || printf '%s\n' "$program"
  done
}

package_of() {
  case $1 in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
  esac
}

# Shows how far the compiler is: -v names each package as it is done. On a terminal the line is rewritten, in a log it comes now and then.
progress() {
  local total=$1 done=0 started=$SECONDS shown=0 line
  while IFS= read -r line; do
    case $line in '#'* | *:*) continue ;; esac
    done=$((done + 1))
    if [ -t 2 ]; then
      printf '\rcontrol plane: %d of at most %d packages, %d s ' "$done" "$total" $((SECONDS - started)) >&2
    elif [ $((SECONDS - shown)) -ge 15 ]; then
      shown=$SECONDS
      say "$done of at most $total packages, $((SECONDS - started)) s"
    fi
  done
  if [ -t 2 ]; then printf '\n' >&2; fi
}

build() {
  local programs=("$@") packages=() program partial
  for program in "${programs[@]}"; do packages+=("$(package_of "$program")"); done
  partial=$(mktemp -d "$out/.partial.XXXXXX")
  # It is named here and now: the variable is not there any more when the trap runs at the end of the script.
  # shellcheck disable=SC2064
  trap "rm -rf '$partial'" EXIT

  export CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=readonly -trimpath -buildvcs=false"
  say "fetching the Go modules of Kubernetes $kubernetes and etcd $etcd"
  local total
  total=$(go list -deps "${packages[@]}" 2>"$partial/list.log" | wc -l) || { cat "$partial/list.log" >&2; die "the Go modules cannot be had"; }

  say "building ${programs[*]}: some minutes the first time, never again for this version"
  local started=$SECONDS
  if ! go build -v -ldflags "$ldflags" -o "$partial/" "${packages[@]}" 2> >(tee "$partial/build.log" | progress "$total"); then
    grep -E '^#|:' "$partial/build.log" | grep -v '^go: downloading' | tail -n 40 >&2 || true
    die "the build failed"
  fi
  # go build names a program after its package's last element that is no version.
  [ -e "$partial/server" ] && mv "$partial/server" "$partial/etcd"
  for program in "${programs[@]}"; do mv "$partial/$program" "$out/$program"; done
  say "built in $((SECONDS - started)) s"
}

readarray -t todo < <(missing)
if [ ${#todo[@]} -gt 0 ]; then
  command -v go >/dev/null || die "Go is missing (https://go.dev/dl): it builds ${todo[*]}; or set KUBEBUILDER_ASSETS to a folder that has them"
  # Two checkouts that start at once build once: the second one finds the result.
  if command -v flock >/dev/null; then
    exec 9>"$cache/.lock"
    flock -n 9 || { say "another build is under way, waiting for it"; flock 9; }
    readarray -t todo < <(missing)
  fi
  [ ${#todo[@]} -eq 0 ] || build "${todo[@]}"
fi
printf '%s\n' "$out"
