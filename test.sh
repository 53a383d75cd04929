#!/usr/bin/env bash
# All checks, from formatting to the end-to-end tests on a real API server and a real PostgreSQL.
#
#   ./test.sh                    everything
#   ./test.sh fmt clippy unit    some steps
#   ./test.sh e2e [FILTER]       the end-to-end tests whose names contain the filter
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
. testbed/requirements.sh

steps=() filter=()
while [ $# -gt 0 ]; do
  case $1 in
    fmt | clippy | unit) steps+=("$1") ;;
    e2e)
      steps+=(e2e)
      case ${2:-} in '' | fmt | clippy | unit) ;; *) filter=("$2"); shift ;; esac ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ ${#steps[@]} -gt 0 ] || steps=(fmt clippy unit e2e)
requirements

# Every cargo command takes the whole workspace: one set of features, so that nothing is built twice.
fmt() { cargo fmt --all --check; }
clippy() { cargo clippy --workspace --all-targets --locked -- -D warnings; }
unit() { cargo test --workspace --locked --no-fail-fast -- --skip e2e::; }
e2e() {
  testbed/controlplane/build.sh >/dev/null \
    && cargo build --workspace --bins --locked \
    && cargo test --workspace --locked --test e2e -- ${filter[@]+"${filter[@]}"}
}

summary='' failed=0
for step in "${steps[@]}"; do
  printf '\n== %s\n' "$step"
  started=$SECONDS
  if "$step"; then verdict=ok; else verdict=FAILED failed=1; fi
  summary+=$(printf '%-8s %-7s %4d s' "$step" "$verdict" $((SECONDS - started)))$'\n'
done
printf '\n== summary\n%s' "$summary"
exit "$failed"
