#!/usr/bin/env bash
# Lets others' programs that are made for RDS drive the local RDS: boto3, the AWS CLI and Ansible's collection for AWS.
#
#   testbed/peers/run.sh LOCAL_RDS        the program, as cargo builds it
#
# They come from PyPI into an environment of their own in the user's cache folder, once. What a peer cannot run without is said.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 1 ] && [ -x "$1" ] || { echo "usage: testbed/peers/run.sh LOCAL_RDS" >&2; exit 2; }
local_rds=$(realpath "$1")
# Its wheel has all collections of Ansible; only Amazon's is unpacked.
collections='ansible==12.3.0'
say() { printf 'peers: %s\n' "$*" >&2; }

suitable='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
if ! python3 -c "$suitable" 2>/dev/null; then
  say "SKIPPED boto3, aws, ansible: there is no python3 from 3.11 on with venv and ensurepip"
  exit 0
fi

# Prints the environment's folder, which is made where it is missing. What is half made has no `installed`.
environment() {
  local key folder cache="${XDG_CACHE_HOME:-$HOME/.cache}/rds-operator"
  key=$({ cat "$here/requirements.txt"; echo "$collections"; python3 -c 'import sys; print(sys.prefix, sys.version)'; } | sha256sum | cut -c1-12)
  folder="$cache/peers-python-$key"
  if [ ! -e "$folder/installed" ]; then
    say "installing boto3, the AWS CLI and Ansible"
    rm -rf "$folder"
    mkdir -p "$cache"
    python3 -m venv "$folder" \
      && "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2 \
      && "$folder/bin/pip" download --quiet --disable-pip-version-check --no-deps -d "$folder/wheels" "$collections" >&2 \
      && "$folder/bin/python" - "$folder" <<'PYTHON' && touch "$folder/installed" || return
import pathlib, shutil, sys, zipfile
folder = pathlib.Path(sys.argv[1])
wheels = folder / "wheels"
with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
    wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith("ansible_collections/amazon/aws/")])
shutil.rmtree(wheels)
PYTHON
  fi
  printf '%s\n' "$folder"
}

python=$(environment) || { say "the peers cannot be installed"; exit 1; }

work=$(mktemp -d)
# PostgreSQL, which is not root, must be able to enter it.
chmod 711 "$work"
"$local_rds" --data-dir "$work/rds" --time-scale 0.005 --exit-with-parent >"$work/log" 2>&1 &
server=$!
trap 'kill "$server"; wait "$server"; rm -rf "$work"' EXIT
for _ in $(seq 300); do [ -e "$work/rds/ready.json" ] || sleep 0.1; done
endpoint=$(sed -n 's/.*"endpoint":"\([^"]*\)".*/\1/p' "$work/rds/ready.json") || { cat "$work/log" >&2; exit 1; }

# Nothing of the person's own: neither AWS's configuration nor Ansible's.
export AWS_ENDPOINT_URL=$endpoint AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1 AWS_ACCESS_KEY_ID=local
export AWS_SECRET_ACCESS_KEY=local AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER=
unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_CA_BUNDLE AWS_ENDPOINT_URL_RDS AWS_ENDPOINT_URL_STS AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
: >"$work/ansible.cfg"
export ANSIBLE_CONFIG=$work/ansible.cfg ANSIBLE_COLLECTIONS_PATH=$python ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_HOME=$work/ansible
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

# Ansible tells all that it does: shown where it fails.
ansible() {
  if "$python/bin/ansible-playbook" -i localhost, -c local -e "ansible_python_interpreter=$python/bin/python" \
    -e "counters=$endpoint/_local/counters" "$here/life.yml" >"$work/ansible.log" 2>&1; then
    printf '%s: a life of an instance, each state declared twice\n' "$("$python/bin/pip" freeze | grep '^ansible-core')"
  else
    cat "$work/ansible.log" >&2
    return 1
  fi
}

failed=0
for peer in boto3 aws ansible; do
  case $peer in
    boto3) "$python/bin/python" "$here/life.py" "$endpoint" ;;
    aws) "$here/life.sh" "$python/bin/aws" ;;
    ansible) ansible ;;
  esac || { say "FAILED $peer"; failed=1; }
done
[ "$failed" = 0 ] || tail -n 40 "$work/log" >&2
exit "$failed"
