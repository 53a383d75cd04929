#!/usr/bin/env bash
# Measures the speed and the size of the release binaries and writes the results into bench/README.md.
#
#   ./bench.sh                      everything; about 12 minutes after the builds
#   ./bench.sh webhook [FLAG...]    the admission service alone
#   ./bench.sh reconciler [FLAG...] the controller alone
#
# `./bench.sh webhook --help` lists the flags. With any flag the results are printed only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. testbed/requirements.sh

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' bench.sh; }

subjects=(webhook reconciler)
case ${1:-all} in
  all) [ $# -le 1 ] || { usage >&2; exit 2; }; shift $# ;;
  webhook | reconciler) subjects=("$1"); shift ;;
  -h | --help) usage; exit ;;
  *) usage >&2; exit 2 ;;
esac
requirements

# The services are built one by one, as for their images: together they would share features.
target=$(target_directory)
services=("${subjects[@]}")
# The reconciler's test bed has the webhook in it.
[ "${services[*]}" != reconciler ] || services=(webhook reconciler)
for service in "${services[@]}"; do
  echo "building rds-$service (release; some minutes the first time)" >&2
  cargo build --release --locked --package "$service"
done
echo "building what measures" >&2
cargo build --profile tools --locked --package bench --package local-rds
if [[ " ${services[*]} " == *' reconciler '* ]]; then
  testbed/go-programs.sh controlplane >/dev/null
  # The test bed takes its programs from beside the executable that starts it.
  cp -f "$target/release/rds-webhook" "$target/release/rds-reconciler" "$target/tools/"
fi

for subject in "${subjects[@]}"; do
  command="./bench.sh $subject${*:+ $*}"
  record=()
  [ $# -gt 0 ] || record=(--write bench/README.md)
  defaults=()
  [ "$subject" = webhook ] && defaults=(--program "$target/release/rds-webhook")
  [ "$subject" = reconciler ] && defaults=(--dir "$target/bench")
  "$target/tools/bench" --command "$command" "${record[@]}" "$subject" "${defaults[@]}" "$@"
done
