#!/usr/bin/env bash
# All checks, from formatting to the end-to-end tests on a real API server and a real PostgreSQL.
#
#   ./test.sh                    everything
#   ./test.sh fmt clippy unit    some steps
#   ./test.sh fuzz               reviews at random, for half a minute each kind (FUZZ_SECONDS says otherwise)
#   ./test.sh peers              boto3, the AWS CLI and Ansible drive the local RDS; what is missing for them is said
#   ./test.sh e2e [FILTER]       the end-to-end tests whose names contain the filter
#   ./test.sh clients            applications of other languages log in with nothing but a Secret: what their packages need is fetched, and
#                                who cannot run here is SKIPPED; not part of everything
#   ./test.sh node [FILTER]      the operator in Pods on a real node, which is gone without a trace at the end; needs root, and where the machine
#                                lacks something it is SKIPPED; not part of everything
#   ./test.sh images             the Dockerfiles built by Debian's buildah, and held to what images/root.sh lays out; needs root, installs
#                                what is missing by apt-get, and says SKIPPED where it cannot; not part of everything
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
. testbed/requirements.sh

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' test.sh; }

steps=() filter=()
while [ $# -gt 0 ]; do
  case $1 in
    fmt | clippy | unit | fuzz | peers | clients | images) steps+=("$1") ;;
    e2e | node)
      steps+=("$1")
      case ${2:-} in '' | fmt | clippy | unit | fuzz | peers | clients | images | e2e | node) ;; *) filter=("$2"); shift ;; esac ;;
    -h | --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ ${#steps[@]} -gt 0 ] || steps=(fmt clippy unit fuzz peers e2e)
requirements

# Every cargo command takes the whole workspace: with fewer packages, dependencies would have other features and be built again.
fmt() { cargo fmt --all --check; }
clippy() { cargo clippy --workspace --all-targets --locked -- -D warnings; }
# Those of a node are ignored where nobody asks for them. The simulation works while the others wait for servers.
unit() {
  local log simulation failed=0
  cargo test --workspace --locked --test simulation --no-run && cargo test --workspace --locked --no-run || return
  log=$(mktemp)
  cargo test --workspace --locked --test simulation >"$log" 2>&1 &
  simulation=$!
  cargo test --workspace --locked --no-fail-fast -- --skip e2e:: || failed=1
  wait "$simulation" || failed=1
  cat "$log"
  rm -f "$log"
  return "$failed"
}
# The corpus first, and then whatever comes to mind. `unit` does the same for a few seconds.
fuzz() { BOLERO_RANDOM_TEST_TIME_MS=$((${FUZZ_SECONDS:-30} * 1000)) cargo test --workspace --locked --test fuzz; }
# Others' programs on the local RDS.
peers() {
  local target
  timed "the services" cargo build --workspace --bins --locked \
    && target=$(target_directory) \
    && testbed/peers/run.sh "$target/debug/local-rds"
}
# Real clients of testbed/clients, against the whole stack.
clients() { built && cargo test --workspace --locked --test e2e -- --include-ignored clients::; }
# The Dockerfiles, by a builder.
images() { testbed/builder/run.sh; }
e2e() {
  built \
    && matching e2e \
    && cargo test --workspace --locked --test e2e -- ${filter[@]+"${filter[@]}"}
}

# The operator on a node.
node() {
  local lacking
  lacking=$(testbed/node/requirements.sh --install) || { printf 'SKIPPED: a node needs %s\n' "$lacking"; verdict=SKIPPED; return; }
  timed "the programs of a node" node_programs \
    && timed "the services" cargo build --workspace --bins --locked \
    && matching node \
    && cargo test --workspace --locked --test node -- --include-ignored ${filter[@]+"${filter[@]}"}
}
node_programs() {
  testbed/go-programs.sh controlplane kubelet kube-proxy kube-scheduler >/dev/null \
    && testbed/go-programs.sh node/dns >/dev/null
}

# All that the end-to-end tests run.
built() {
  go_programs \
    && timed "the services" cargo build --workspace --bins --locked \
    && timed "the tests" cargo test --workspace --locked --test e2e --no-run
}

# The control plane, cert-manager and whatever else runs beside the services: each in a folder with a go.mod.
go_programs() {
  local module folder
  for module in testbed/*/go.mod; do
    folder=$(basename "$(dirname "$module")")
    timed "the Go programs of testbed/$folder" testbed/go-programs.sh "$folder" >/dev/null || return
  done
}

# Says what is built and how long it took.
timed() {
  local what=$1 started=$SECONDS
  shift
  printf -- '-- %s\n' "$what" >&2
  "$@" || return
  printf -- '-- %s: %d s\n' "$what" $((SECONDS - started)) >&2
}

# A filter that no test's name contains would make everything well.
matching() {
  [ ${#filter[@]} -gt 0 ] || return 0
  local listed
  listed=$(cargo test --workspace --locked --quiet --test "$1" -- --list "${filter[@]}") || return
  grep -q ': test$' <<<"$listed" || { echo "no end-to-end test has \"${filter[0]}\" in its name" >&2; return 1; }
}

summary='' failed=0
for step in "${steps[@]}"; do
  printf '\n== %s\n' "$step"
  started=$SECONDS verdict=ok
  "$step" || verdict=FAILED failed=1
  summary+=$(printf '%-8s %-7s %4d s' "$step" "$verdict" $((SECONDS - started)))$'\n'
done
printf '\n== summary\n%s' "$summary"
exit "$failed"
