#!/usr/bin/env bash
# Builds the peer that is written in Go, once for each state of its sources, into the user's cache folder, and prints the program's path.
# It is built as a release would be: without cgo, paths, symbols and debugging information.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/controller-runtime"

ldflags='-s -w'
key=$({ cat go.mod go.sum; find . -name '*.go' ! -name '*_test.go' | LC_ALL=C sort | xargs cat; echo "$ldflags"; } | sha256sum | cut -c1-12)
out="${XDG_CACHE_HOME:-$HOME/.cache}/rds-operator/peers/controller-runtime-$key-$(uname -s)-$(uname -m)"
if [ ! -x "$out" ]; then
  command -v go >/dev/null || { echo "Go is missing (https://go.dev/dl): it builds the webhook that ours is measured beside" >&2; exit 1; }
  echo "building the peer on controller-runtime (some minutes the first time)" >&2
  mkdir -p "$(dirname "$out")"
  partial=$(mktemp "$out.XXXXXX")
  trap 'rm -f "$partial"' EXIT
  CGO_ENABLED=0 GOWORK=off go build -mod=readonly -trimpath -buildvcs=false -ldflags "$ldflags" -o "$partial" .
  mv "$partial" "$out"
fi
printf '%s\n' "$out"
