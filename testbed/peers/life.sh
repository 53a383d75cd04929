#!/usr/bin/env bash
# The life of an instance through the AWS CLI: create, change, tags, snapshot, restore, stop, start, delete.
#
#   life.sh AWS        the program, with the endpoint and AWS's other variables in the environment
set -euo pipefail

aws=$1
rds() { "$aws" rds "$@"; }
die() { printf 'aws: %s\n' "$*" >&2; exit 1; }

# How many calls could change something, since the local RDS was started.
calls() {
  "$(dirname "$aws")/python" -c 'import json, os, urllib.request
print(json.load(urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_local/counters"))["mutating"])'
}

# Waits until a query of DescribeDBInstances says something. `aws rds wait` looks each half minute, which is long for a local RDS.
instance_is() {
  local id=$1 query=$2 expected=$3 seen='' tries=120
  while [ $((tries -= 1)) -gt 0 ]; do
    seen=$(rds describe-db-instances --db-instance-identifier "$id" --query "DBInstances[0].$query" --output text)
    [ "$seen" != "$expected" ] || return 0
    sleep 1
  done
  die "$id: $query is $seen, not $expected"
}

# The command fails as the CLI fails for what the service refuses, and names the error.
refused() {
  local code=$1 said status=0
  shift
  said=$(rds "$@" 2>&1) || status=$?
  [ "$status" = 254 ] || [ "$status" = 255 ] || die "$*: exit status $status: $said"
  [[ $said == *"($code)"* ]] || die "$*: $said, where $code was expected"
}

started=$(calls)
rds create-db-instance --db-instance-identifier cli --engine postgres --engine-version 17 --db-instance-class db.t4g.micro \
  --allocated-storage 20 --master-username sysadmin --master-user-password correct-horse-battery --copy-tags-to-snapshot \
  --tags Key=team,Value=shop >/dev/null
instance_is cli DBInstanceStatus available
# It is there already, so that this does not wait.
rds wait db-instance-available --db-instance-identifier cli
arn=$(rds describe-db-instances --query 'DBInstances[?DBInstanceIdentifier==`cli`].DBInstanceArn' --output text)

rds modify-db-instance --db-instance-identifier cli --allocated-storage 30 --apply-immediately >/dev/null
instance_is "$arn" AllocatedStorage 30
instance_is cli DBInstanceStatus available
rds modify-db-instance --db-instance-identifier cli --apply-immediately >/dev/null
refused InvalidParameterCombination modify-db-instance --db-instance-identifier cli --allocated-storage 20 --apply-immediately
rds add-tags-to-resource --resource-name "$arn" --tags Key=tier,Value=gold
rds remove-tags-from-resource --resource-name "$arn" --tag-keys team
tags=$(rds list-tags-for-resource --resource-name "$arn" --query 'TagList[].[Key,Value]' --output text)
[ "$tags" = $'tier\tgold' ] || die "tags are $tags"

rds create-db-snapshot --db-instance-identifier cli --db-snapshot-identifier cli-kept >/dev/null
instance_is cli DBInstanceStatus available
rds wait db-snapshot-available --db-snapshot-identifier cli-kept
found=$(rds describe-db-snapshots --filters "Name=db-instance-id,Values=$arn" Name=snapshot-type,Values=manual \
  --query 'DBSnapshots[].DBSnapshotIdentifier' --output text)
[ "$found" = cli-kept ] || die "snapshots are $found"
rds restore-db-instance-from-db-snapshot --db-instance-identifier cli-restored --db-snapshot-identifier cli-kept >/dev/null
instance_is cli-restored DBInstanceStatus available

rds stop-db-instance --db-instance-identifier cli >/dev/null
instance_is cli DBInstanceStatus stopped
rds start-db-instance --db-instance-identifier cli >/dev/null
instance_is cli DBInstanceStatus available

before=$(calls)
rds describe-events --source-type db-instance --source-identifier cli --page-size 20 --query 'Events[].Message' --output text \
  | grep 'DB instance started' >/dev/null || die "no event tells of the start"
rds describe-db-engine-versions --engine postgres --include-all --page-size 20 --filters Name=status,Values=deprecated \
  --query 'DBEngineVersions[].EngineVersion' --output text | grep '^1' >/dev/null || die "no deprecated version is listed"
log=$(rds describe-db-log-files --db-instance-identifier cli --query 'DescribeDBLogFiles[0].LogFileName' --output text)
rds download-db-log-file-portion --db-instance-identifier cli --log-file-name "$log" --starting-token 0 --output text \
  | grep 'database system is ready' >/dev/null || die "the log is not that of a server"
"$aws" sts get-caller-identity --query Account --output text | grep -x 000000000000 >/dev/null || die "another account"
[ "$(calls)" = "$before" ] || die "reading has changed something"

rds delete-db-instance --db-instance-identifier cli --final-db-snapshot-identifier cli-last >/dev/null
rds delete-db-instance --db-instance-identifier cli-restored --skip-final-snapshot >/dev/null
left=cli tries=120
while [ -n "$left" ] && [ $((tries -= 1)) -gt 0 ]; do
  left=$(rds describe-db-instances --query 'DBInstances[?starts_with(DBInstanceIdentifier, `cli`)].DBInstanceIdentifier' --output text)
done
rds wait db-instance-deleted --db-instance-identifier cli
refused DBInstanceNotFound describe-db-instances --db-instance-identifier cli-restored
for snapshot in cli-kept cli-last; do
  rds delete-db-snapshot --db-snapshot-identifier "$snapshot" >/dev/null
  refused DBSnapshotNotFound describe-db-snapshots --db-snapshot-identifier "$snapshot"
done

made=$(($(calls) - started))
[ "$made" = 14 ] || die "$made calls that could change something, 14 were made: something was called twice"
printf '%s: a life of an instance, %d calls that change something\n' "$("$aws" --version 2>&1 | cut -d' ' -f1)" "$made"
