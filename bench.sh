#!/usr/bin/env bash
# Measures the speed and the size of the release binaries and writes the results into bench/README.md.
#
#   ./bench.sh                      everything; about 30 minutes after the builds
#   ./bench.sh webhook [FLAG...]    the admission service alone, beside the same rules in Go and a server without rules
#   ./bench.sh reconciler [FLAG...] the controller alone
#   ./bench.sh fleet [FLAG...]      many objects on one account, without engines (an hour and a half); not part of everything
#   ./bench.sh simulation [FLAG...] the core under a seed: a million lives (hours), larger worlds, planted faults; not part of everything
#   ./bench.sh sql [FLAG...]        what users and databases inside a server cost, beside psql
#   ./bench.sh agreement            only what the admission service answers otherwise than its peer in Go
#
# `./bench.sh webhook --help` lists the flags. With any flag the results are printed only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. testbed/requirements.sh

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' bench.sh; }

subjects=(webhook reconciler sql)
case ${1:-all} in
  all) [ $# -le 1 ] || { usage >&2; exit 2; }; shift $# ;;
  webhook | reconciler | fleet | simulation | sql | agreement) subjects=("$1"); shift ;;
  -h | --help) usage; exit ;;
  *) usage >&2; exit 2 ;;
esac
requirements

# The services are built one by one, as for their images: together they would share features.
target=$(target_directory)
case ${subjects[*]} in
  webhook) services=(webhook floor) ;;
  agreement) services=(webhook) ;;
  # The reconciler's test bed has the webhook in it.
  reconciler | fleet) services=(webhook reconciler) ;;
  # The engine is linked into what measures, and the core into the simulation.
  simulation | sql) services=() ;;
  *) services=(webhook floor reconciler) ;;
esac
for service in "${services[@]}"; do
  echo "building $service (release; some minutes the first time)" >&2
  cargo build --release --locked --package "$service"
done
case ${subjects[*]} in
  reconciler | fleet | simulation | sql) ;;
  *) peer=$(bench/peers/build.sh) ;;
esac
echo "building what measures" >&2
cargo build --profile tools --locked --package bench --package local-rds
if [ "${subjects[*]}" = simulation ]; then
  simulation=$(cargo test --profile tools --workspace --locked --test simulation --no-run 2>&1 | tee /dev/stderr \
    | sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
fi
if [[ " ${subjects[*]} " =~ ' '(reconciler|fleet)' ' ]]; then
  testbed/go-programs.sh controlplane >/dev/null
  # The test bed takes its programs from beside the executable that starts it.
  cp -f "$target/release/rds-webhook" "$target/release/rds-reconciler" "$target/tools/"
fi

for subject in "${subjects[@]}"; do
  command="./bench.sh $subject${*:+ $*}"
  record=()
  [ $# -gt 0 ] || [ "$subject" = agreement ] || record=(--write bench/README.md)
  case $subject in
    webhook) defaults=(--program "$target/release/rds-webhook" --peer "$peer" --floor "$target/release/floor") ;;
    agreement) defaults=(--program "$target/release/rds-webhook" --peer "$peer") ;;
    simulation) defaults=(--program "$simulation") ;;
    reconciler | fleet | sql) defaults=(--dir "$target/bench") ;;
  esac
  "$target/tools/bench" --command "$command" "${record[@]}" "$subject" "${defaults[@]}" "$@"
done
