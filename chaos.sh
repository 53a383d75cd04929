#!/usr/bin/env bash
# Minutes of chaos around the whole product on this machine, and then a look at what is left: one instance for each object, no orphan, no
# row that was acknowledged and is lost, a final snapshot that restores for each object that was deleted.
#
#   ./chaos.sh                            ten minutes, by a seed of this moment
#   ./chaos.sh [--minutes N] [--seed S]   a seed that was printed gives the same schedule again
#
# It prints what it does as it does it, and a summary; 0 if all was well. Its short form is among the tests: ./test.sh e2e chaos::
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. testbed/requirements.sh
. testbed/progress.sh

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' chaos.sh; }
wrong() { printf 'chaos.sh: %s\n\n' "$1" >&2; usage >&2; exit 2; }

minutes=10 seed=$((RANDOM * 32768 + RANDOM))
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --minutes | --seed)
      [[ ${2:-} =~ ^[0-9]{1,18}$ ]] || wrong "$1 needs a number"
      if [ "$1" = --minutes ]; then minutes=$2; else seed=$2; fi
      shift ;;
    *) wrong "what is $1?" ;;
  esac
  shift
done
requirements

testbed/go-programs.sh controlplane >/dev/null
# The whole workspace, as everywhere: with fewer packages, dependencies would have other features and be built again.
cargo_bins
cargo test --workspace --locked --test e2e --no-run

printf '\nseed %s, %s minutes\n' "$seed" "$minutes"
CHAOS_MINUTES=$minutes CHAOS_SEED=$seed cargo test --workspace --locked --quiet --test e2e -- chaos::i11
