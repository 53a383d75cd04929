#!/usr/bin/env bash
# Everything on this machine: a Kubernetes API server, a local RDS with real PostgreSQL, the webhook and the reconciler.
# ./local.sh --help says what else it can do. All it makes lies in .local/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. testbed/requirements.sh

case " $* " in
  *' --cluster '*)
    # The programs of a control plane are not needed, but kubectl is.
    command -v kubectl >/dev/null || { echo "missing: kubectl, to reach your cluster" >&2; exit 1; }
    requirements ;;
  *)
    requirements
    testbed/controlplane/build.sh >/dev/null ;;
esac

echo "building the services (cargo build; some minutes the first time)" >&2
cargo build --workspace --bins --locked
exec "${CARGO_TARGET_DIR:-target}/debug/rds-local" "$@"
