#!/usr/bin/env bash
# Everything on this machine: a Kubernetes API server, a local RDS with real PostgreSQL, the webhook and the reconciler.
#
#   ./local.sh                   starts all of it, makes a first database, and stays until Ctrl-C
#   ./local.sh --exit            goes on through the whole life of that database, checks each step, and ends: 0 if all was well
#   ./local.sh --node [--exit]   the same with the operator in Pods, on a node that is made for it and gone at the end; needs root
#   ./local.sh --cluster --rds-ca-bundle FILE
#                                runs the reconciler on this machine for the cluster of your kubeconfig and your AWS account instead;
#                                says what it would touch, and asks
#
# All it makes lies in .local/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. testbed/requirements.sh
. testbed/progress.sh

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' local.sh; }
wrong() { printf 'local.sh: %s\n\n' "$1" >&2; usage >&2; exit 2; }

# Before anything is built: a slip must not cost minutes.
args=("$@") exit=no cluster=no node=no
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --exit) exit=yes ;;
    --cluster) cluster=yes ;;
    --node) node=yes ;;
    --rds-ca-bundle | --dir) [ $# -gt 1 ] || wrong "$1 needs a value"; shift ;;
    --rds-ca-bundle=* | --dir=*) ;;
    *) wrong "what is $1?" ;;
  esac
  shift
done
[ "$exit$cluster" != yesyes ] || wrong "--exit and --cluster exclude each other"
[ "$node$cluster" != yesyes ] || wrong "--node and --cluster exclude each other"

requirements
if [ "$node" = yes ]; then
  lacking=$(testbed/node/requirements.sh --install) || { echo "missing: $lacking" >&2; exit 1; }
fi
if [ "$cluster" = yes ]; then
  # The programs of a control plane are not needed, but kubectl is.
  command -v kubectl >/dev/null || { echo "missing: kubectl, to reach your cluster" >&2; exit 1; }
else
  testbed/go-programs.sh controlplane >/dev/null
fi

cargo_bins
target=$(target_directory)
exec "$target/debug/rds-local" ${args[@]+"${args[@]}"}
