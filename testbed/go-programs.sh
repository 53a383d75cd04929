#!/usr/bin/env bash
# Builds the Go programs that a folder beside this script pins, once, into the user's cache folder, and prints where they are.
#
#   testbed/go-programs.sh FOLDER [PROGRAM...]
#
# Built are the `tool` packages of FOLDER/go.mod and every main package in FOLDER, but for those that FOLDER/programs.sh keeps back until they
# are asked for by name. Two files may say more:
#   FOLDER/programs.sh   is sourced below and may set `label`, `ldflags` and `kept_back`, and replace `wanted` and `program_of`
#   FOLDER/assets        has lines "MODULE FOLDER NAME": this folder of that module is copied beside the programs under that name; a module
#                        that go.mod does not pin is written MODULE@VERSION
# Progress goes to stderr; stdout has one line, the folder. A second run finds everything there and ends at once, also without Go.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-}
asked=" ${*:2} "
. "$here/progress.sh"
say() { printf '%s\n' "$folder: $*" >&2; }
die() { say "$*"; exit 1; }
if [ $# -lt 1 ] || [ ! -f "$here/$folder/go.mod" ]; then
  echo "usage: testbed/go-programs.sh FOLDER [PROGRAM...], where testbed/FOLDER has a go.mod" >&2
  exit 2
fi
cd "$here/$folder"

# The version of a module in go.mod, without its v.
pinned() { sed -n "s|^\(require \)\{0,1\}[[:space:]]*$1 v\([0-9.]*\)\( // indirect\)\{0,1\}$|\2|p" go.mod; }

# The name that go build gives to a package's program: its last element that is no version.
go_name() {
  local package=$1
  [ "$package" != . ] || package=$(sed -n 's/^module //p' go.mod)
  if [[ $package =~ ^(.*)/v[0-9]+$ ]]; then package=${BASH_REMATCH[1]}; fi
  printf '%s\n' "${package##*/}"
}

# What programs.sh may replace: the name that a package's program shall have, and whether it is wanted at all.
program_of() { go_name "$1"; }
wanted() { true; }
label='' ldflags='-s -w' tags='' kept_back=''
# shellcheck source=/dev/null
[ ! -f programs.sh ] || . ./programs.sh

sources() { find . -name '*.go' ! -name '*_test.go' | LC_ALL=C sort; }

packages() {
  awk '/^tool \(/ { inside = 1; next } /^\)/ { inside = 0 } inside { print $1 } $1 == "tool" && !inside { print $2 }' go.mod
  sources | while IFS= read -r file; do
    if grep -q '^package main$' "$file"; then dirname "$file"; fi
  done | sort -u
}

key=$({
  cat go.mod go.sum
  sources | while IFS= read -r file; do cat "$file"; done
  [ ! -f assets ] || cat assets
  echo "$ldflags${tags:+ $tags}"
} | sha256sum | cut -c1-12)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/rds-operator/$folder"
out="$cache/${label:+$label-}$key-$(uname -s)-$(uname -m)"
mkdir -p "$out"

# The packages whose programs are wanted and not there.
missing() {
  local package program
  packages | while IFS= read -r package; do
    program=$(program_of "$package")
    case " $kept_back " in *" $program "*) case $asked in *" $program "*) ;; *) continue ;; esac ;; esac
    if wanted "$program" && [ ! -x "$out/$program" ]; then printf '%s\n' "$package"; fi
  done
}

# The assets that are not there, as lines of the file.
missing_assets() {
  local module path name
  [ -f assets ] || return 0
  while read -r module path name; do
    [ -d "$out/$name" ] || printf '%s %s %s\n' "$module" "$path" "$name"
  done <assets
}

# The packages that the compiler is done with: -v names each, beside what it says of them.
compiled() {
  local line
  while IFS= read -r line; do
    case $line in '#'* | *:*) ;; *) printf '%s\n' "$line" ;; esac
  done
}

build() {
  local packages=("$@") names='' package total started=$SECONDS
  for package in "${packages[@]}"; do names+=" $(program_of "$package")"; done
  say "fetching the Go modules"
  total=$(go list -tags "$tags" -deps "${packages[@]}" 2>"$partial/list.log" | wc -l) || { cat "$partial/list.log" >&2; die "the Go modules cannot be had"; }

  say "building$names: some minutes the first time, never again for this version"
  if ! go build -v -tags "$tags" -ldflags "$ldflags" -o "$partial/" "${packages[@]}" 2> >(tee "$partial/build.log" | compiled | progress "$folder" "$total" packages); then
    grep -E '^#|:' "$partial/build.log" | grep -v '^go: downloading' | tail -n 40 >&2 || true
    die "the build failed"
  fi
  for package in "${packages[@]}"; do mv "$partial/$(go_name "$package")" "$out/$(program_of "$package")"; done
  say "built in $((SECONDS - started)) s"
}

copy_assets() {
  local module path name source
  while read -r module path name; do
    case $module in
      # A module that is read and not built: it stays out of go.mod, whose requirements would follow it.
      *@*) source=$(cd / && GOFLAGS='' go mod download -json "$module" | sed -n 's/^.*"Dir": "\(.*\)",\{0,1\}$/\1/p') ;;
      *) source=$(go list -m -f '{{.Dir}}' "$module") ;;
    esac
    [ -d "$source/$path" ] || die "$module has no $path"
    cp -R "$source/$path" "$partial/$name"
    # What Go keeps of modules is read-only.
    chmod -R u+w "$partial/$name"
    mv "$partial/$name" "$out/$name"
  done
}

if [ -n "$(missing)$(missing_assets)" ]; then
  command -v go >/dev/null || die "Go is missing (https://go.dev/dl): it builds $(missing | tr '\n' ' ')"
  # Two checkouts that start at once build once: the second one finds the result.
  if command -v flock >/dev/null; then
    exec 9>"$cache/.lock"
    flock -n 9 || { say "another build is under way, waiting for it"; flock 9; }
  fi
  export CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=readonly -trimpath -buildvcs=false"
  partial=$(mktemp -d "$out/.partial.XXXXXX")
  trap 'rm -rf "$partial"' EXIT
  readarray -t todo < <(missing)
  [ ${#todo[@]} -eq 0 ] || build "${todo[@]}"
  missing_assets | copy_assets
fi
printf '%s\n' "$out"
