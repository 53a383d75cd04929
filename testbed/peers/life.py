"""The life of an instance through boto3, with its paginators and waiters: create, change, tags, snapshot, restore, stop, start, delete.

usage: life.py ENDPOINT, with AWS's variables in the environment
"""

import json
import sys
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
# A retry would hide what was wrong with the first try.
RDS = boto3.client("rds", endpoint_url=ENDPOINT, config=Config(retries={"total_max_attempts": 1}))
SOON = {"Delay": 1, "MaxAttempts": 120}


def calls():
    """How many calls could change something, since the local RDS was started."""
    with urllib.request.urlopen(f"{ENDPOINT}/_local/counters") as answer:
        return json.load(answer)["mutating"]


def wait(waiter, **names):
    RDS.get_waiter(waiter).wait(**names, WaiterConfig=SOON)


def instance(name):
    return RDS.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def create(name, **more):
    return RDS.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        EngineVersion="16",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="sysadmin",
        MasterUserPassword="correct-horse-battery",
        **more,
    )


def refused(code, call, **parameters):
    """The code is one of the service model: boto3 has an exception for it."""
    expected = RDS.exceptions.from_code(code)
    assert expected is not ClientError, f"{code} is not in the service model"
    try:
        call(**parameters)
    except expected:
        return
    raise AssertionError(f"{code} expected")


def settled(good):
    """The waiter would take the `available` before a change shows for its end: RDS has it like that too."""
    for _ in range(SOON["MaxAttempts"]):
        seen = instance("boto")
        if good(seen):
            return
        time.sleep(SOON["Delay"])
    raise AssertionError(seen)


def birth():
    create("boto", Tags=[{"Key": "team", "Value": "shop"}], CopyTagsToSnapshot=True)
    refused("DBInstanceAlreadyExists", create, name="boto")
    wait("db_instance_available", DBInstanceIdentifier="boto")
    seen = instance("boto")
    assert seen["Endpoint"]["Port"] and seen["DBSubnetGroup"]["VpcId"], seen
    assert instance(seen["DBInstanceArn"])["DbiResourceId"] == seen["DbiResourceId"]
    return seen["DBInstanceArn"]


def change(arn):
    RDS.modify_db_instance(DBInstanceIdentifier="boto", DBInstanceClass="db.t4g.small", ApplyImmediately=True)
    waiting = instance("boto")["PendingModifiedValues"]
    assert waiting == {"DBInstanceClass": "db.t4g.small"}, waiting
    settled(lambda seen: seen["DBInstanceClass"] == "db.t4g.small" and seen["DBInstanceStatus"] == "available")
    RDS.modify_db_instance(DBInstanceIdentifier="boto", ApplyImmediately=True)
    RDS.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "tier", "Value": "gold"}])
    RDS.remove_tags_from_resource(ResourceName=arn, TagKeys=["team"])
    assert RDS.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "tier", "Value": "gold"}]


def snapshot_and_restore(arn):
    RDS.create_db_snapshot(DBInstanceIdentifier="boto", DBSnapshotIdentifier="boto-kept")
    wait("db_snapshot_completed", DBSnapshotIdentifier="boto-kept")
    wait("db_instance_available", DBInstanceIdentifier="boto")
    of_it = [{"Name": "db-instance-id", "Values": [arn]}, {"Name": "snapshot-type", "Values": ["manual"]}]
    pages = RDS.get_paginator("describe_db_snapshots").paginate(Filters=of_it, PaginationConfig={"PageSize": 20})
    found = [snapshot["DBSnapshotIdentifier"] for page in pages for snapshot in page["DBSnapshots"]]
    assert found == ["boto-kept"], found
    RDS.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="boto-restored", DBSnapshotIdentifier="boto-kept", Tags=[{"Key": "tier", "Value": "copy"}]
    )
    wait("db_instance_available", DBInstanceIdentifier="boto-restored")
    restored = instance("boto-restored")
    assert restored["TagList"] == [{"Key": "tier", "Value": "copy"}], restored["TagList"]
    assert restored["DbiResourceId"] != instance("boto")["DbiResourceId"]


def stop_and_start():
    RDS.stop_db_instance(DBInstanceIdentifier="boto")
    settled(lambda seen: seen["DBInstanceStatus"] == "stopped")
    refused("InvalidDBInstanceState", RDS.stop_db_instance, DBInstanceIdentifier="boto")
    RDS.start_db_instance(DBInstanceIdentifier="boto")
    wait("db_instance_available", DBInstanceIdentifier="boto")


def reading_changes_nothing():
    before = calls()
    for action, key in [
        ("describe_db_instances", "DBInstances"),
        ("describe_db_snapshots", "DBSnapshots"),
        ("describe_events", "Events"),
        ("describe_db_engine_versions", "DBEngineVersions"),
    ]:
        pages = RDS.get_paginator(action).paginate(PaginationConfig={"PageSize": 20})
        assert [entry for page in pages for entry in page[key]], action
    listed = RDS.describe_db_log_files(DBInstanceIdentifier="boto")["DescribeDBLogFiles"]
    name = listed[0]["LogFileName"]
    pages = RDS.get_paginator("download_db_log_file_portion").paginate(DBInstanceIdentifier="boto", LogFileName=name)
    assert "database system is ready" in "".join(page.get("LogFileData") or "" for page in pages)
    assert calls() == before
    assert boto3.client("sts", endpoint_url=ENDPOINT).get_caller_identity()["Account"] == "000000000000"


def death():
    RDS.delete_db_instance(DBInstanceIdentifier="boto", FinalDBSnapshotIdentifier="boto-last")
    RDS.delete_db_instance(DBInstanceIdentifier="boto-restored", SkipFinalSnapshot=True)
    for name in ["boto", "boto-restored"]:
        wait("db_instance_deleted", DBInstanceIdentifier=name)
        refused("DBInstanceNotFound", RDS.describe_db_instances, DBInstanceIdentifier=name)
    for name in ["boto-kept", "boto-last"]:
        wait("db_snapshot_available", DBSnapshotIdentifier=name)
        RDS.delete_db_snapshot(DBSnapshotIdentifier=name)
        wait("db_snapshot_deleted", DBSnapshotIdentifier=name)
        refused("DBSnapshotNotFound", RDS.describe_db_snapshots, DBSnapshotIdentifier=name)


started = calls()
arn = birth()
change(arn)
snapshot_and_restore(arn)
stop_and_start()
reading_changes_nothing()
death()
made = calls() - started
assert made == 15, f"{made} calls that could change something, 15 were made: something was called twice"
print(f"boto3 {boto3.__version__}: a life of an instance, {made} calls that change something")
