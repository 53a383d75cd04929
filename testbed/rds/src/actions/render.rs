//! Instances and snapshots as XML, with the element names of the service model (botocore, rds/2014-10-31).

use jiff::Timestamp;

use super::Call;
use crate::model::{Change, Instance, Snapshot, Tags};
use crate::wire::Node;

/// A `DBInstance`.
pub(super) fn instance(call: &Call<'_>, instance: &Instance) -> Node {
    let status = call.service.times.status(instance, call.now);
    let mut nodes = vec![
        Node::leaf("DBInstanceIdentifier", &instance.id),
        Node::leaf("DBInstanceClass", &instance.class),
        Node::leaf("Engine", "postgres"),
        Node::leaf("DBInstanceStatus", status),
        Node::leaf("MasterUsername", &instance.master_username),
        Node::leaf("AllocatedStorage", instance.allocated_storage),
        Node::leaf("PreferredBackupWindow", &instance.backup_window),
        Node::leaf("BackupRetentionPeriod", instance.backup_retention),
        Node::tree("DBSecurityGroups", vec![]),
        security_groups(&instance.security_groups),
        Node::tree(
            "DBParameterGroups",
            vec![Node::tree(
                "DBParameterGroup",
                vec![
                    Node::leaf("DBParameterGroupName", &instance.parameter_group),
                    Node::leaf("ParameterApplyStatus", "in-sync"),
                ],
            )],
        ),
        Node::leaf("PreferredMaintenanceWindow", &instance.maintenance_window),
        pending(&instance.pending_change()),
        Node::leaf("MultiAZ", instance.multi_az),
        Node::leaf("EngineVersion", instance.engine_version),
        Node::leaf("AutoMinorVersionUpgrade", instance.auto_minor_version_upgrade),
        Node::tree("ReadReplicaDBInstanceIdentifiers", vec![]),
        Node::leaf("LicenseModel", "postgresql-license"),
        Node::tree(
            "OptionGroupMemberships",
            vec![Node::tree(
                "OptionGroupMembership",
                vec![
                    Node::leaf("OptionGroupName", format_args!("default:postgres-{}", instance.engine_version.major)),
                    Node::leaf("Status", "in-sync"),
                ],
            )],
        ),
        Node::leaf("PubliclyAccessible", instance.publicly_accessible),
        Node::leaf("StorageType", &instance.storage_type),
        Node::leaf("DbInstancePort", 0),
        Node::leaf("StorageEncrypted", instance.storage_encrypted),
        Node::leaf("DbiResourceId", &instance.resource_id),
        Node::leaf("CACertificateIdentifier", &instance.ca_certificate),
        Node::tree("DomainMemberships", vec![]),
        Node::leaf("CopyTagsToSnapshot", instance.copy_tags_to_snapshot),
        Node::leaf("MonitoringInterval", 0),
        Node::leaf("DBInstanceArn", call.service.arn("db", &instance.id)),
        Node::leaf("IAMDatabaseAuthenticationEnabled", instance.iam_authentication),
        Node::leaf("PerformanceInsightsEnabled", false),
        Node::leaf("DeletionProtection", instance.deletion_protection),
        Node::tree("AssociatedRoles", vec![]),
        tag_list(&instance.tags),
        Node::leaf("CustomerOwnedIpEnabled", false),
        Node::leaf("NetworkType", "IPV4"),
        Node::leaf("BackupTarget", "region"),
        Node::tree(
            "CertificateDetails",
            vec![Node::leaf("CAIdentifier", &instance.ca_certificate), Node::leaf("ValidTill", "2061-01-01T00:00:00Z")],
        ),
        Node::leaf("DedicatedLogVolume", false),
        Node::leaf("IsStorageConfigUpgradeAvailable", false),
        Node::leaf("EngineLifecycleSupport", &instance.lifecycle_support),
    ];
    if instance.has_endpoint() {
        nodes.push(Node::time("InstanceCreateTime", instance.created_at));
        nodes.push(Node::leaf("AvailabilityZone", &instance.availability_zone));
        nodes.push(Node::tree(
            "Endpoint",
            vec![
                Node::leaf("Address", "127.0.0.1"),
                Node::leaf("Port", instance.port),
                Node::leaf("HostedZoneId", "ZLOCAL"),
            ],
        ));
        if instance.backup_retention > 0 {
            nodes.push(Node::time("LatestRestorableTime", restorable(call.now)));
        }
        if instance.multi_az {
            let zone = format!("{}b", call.service.region);
            nodes.push(Node::leaf("SecondaryAvailabilityZone", zone));
        }
    }
    if let Some(name) = &instance.subnet_group {
        nodes.push(subnet_group(call, name));
    }
    if !instance.log_exports.is_empty() {
        nodes
            .push(Node::list("EnabledCloudwatchLogsExports", &instance.log_exports, |name| Node::leaf("member", name)));
    }
    let optional = [
        optional("DBName", instance.db_name.as_ref()),
        optional("Iops", instance.iops),
        optional("StorageThroughput", instance.storage_throughput),
        optional("KmsKeyId", instance.kms_key_id.as_ref()),
        optional("MaxAllocatedStorage", instance.max_allocated_storage),
    ];
    nodes.extend(optional.into_iter().flatten());
    Node::tree("DBInstance", nodes)
}

/// A `DBSnapshot`.
pub(super) fn snapshot(call: &Call<'_>, snapshot: &Snapshot) -> Node {
    let source = &snapshot.source;
    let progress = if snapshot.available { 100 } else { 0 };
    let mut nodes = vec![
        Node::leaf("DBSnapshotIdentifier", &snapshot.id),
        Node::leaf("DBInstanceIdentifier", &source.id),
        Node::leaf("Engine", "postgres"),
        Node::leaf("AllocatedStorage", source.allocated_storage),
        Node::leaf("Status", snapshot.status()),
        Node::leaf("Port", source.port),
        Node::leaf("AvailabilityZone", &source.availability_zone),
        Node::time("InstanceCreateTime", source.created_at),
        Node::leaf("MasterUsername", &source.master_username),
        Node::leaf("EngineVersion", source.engine_version),
        Node::leaf("LicenseModel", "postgresql-license"),
        Node::leaf("SnapshotType", snapshot.kind.name()),
        Node::leaf("OptionGroupName", format_args!("default:postgres-{}", source.engine_version.major)),
        Node::leaf("PercentProgress", progress),
        Node::leaf("StorageType", &source.storage_type),
        Node::leaf("Encrypted", source.storage_encrypted),
        Node::leaf("DBSnapshotArn", call.service.arn("snapshot", &snapshot.id)),
        Node::leaf("IAMDatabaseAuthenticationEnabled", source.iam_authentication),
        Node::leaf("DbiResourceId", &source.resource_id),
        tag_list(&snapshot.tags),
        Node::leaf("SnapshotTarget", "region"),
        Node::time("OriginalSnapshotCreateTime", snapshot.created_at),
    ];
    if snapshot.available {
        nodes.push(Node::time("SnapshotCreateTime", snapshot.created_at));
    }
    let optional = [
        optional("Iops", source.iops),
        optional("StorageThroughput", source.storage_throughput),
        optional("KmsKeyId", source.kms_key_id.as_ref()),
    ];
    nodes.extend(optional.into_iter().flatten());
    Node::tree("DBSnapshot", nodes)
}

/// A `TagList`.
pub(super) fn tag_list(tags: &Tags) -> Node {
    Node::list("TagList", tags, |(key, value)| {
        Node::tree("Tag", vec![Node::leaf("Key", key), Node::leaf("Value", value)])
    })
}

fn optional(name: &'static str, value: Option<impl std::fmt::Display>) -> Option<Node> {
    value.map(|value| Node::leaf(name, value))
}

fn security_groups(groups: &[String]) -> Node {
    Node::list("VpcSecurityGroups", groups, |group| {
        Node::tree(
            "VpcSecurityGroupMembership",
            vec![Node::leaf("VpcSecurityGroupId", group), Node::leaf("Status", "active")],
        )
    })
}

fn subnet_group(call: &Call<'_>, name: &str) -> Node {
    Node::tree(
        "DBSubnetGroup",
        vec![
            Node::leaf("DBSubnetGroupName", name),
            Node::leaf("DBSubnetGroupDescription", name),
            Node::leaf("VpcId", "vpc-local"),
            Node::leaf("SubnetGroupStatus", "Complete"),
            Node::tree("Subnets", vec![]),
            Node::leaf("DBSubnetGroupArn", call.service.arn("subgrp", name)),
        ],
    )
}

/// A pending password is shown as asterisks, as RDS does.
fn pending(change: &Change) -> Node {
    let nodes = [
        optional("DBInstanceClass", change.class.as_ref()),
        optional("AllocatedStorage", change.allocated_storage),
        optional("MasterUserPassword", change.master_verifier.as_ref().map(|_| "****")),
        optional("BackupRetentionPeriod", change.backup_retention),
        optional("MultiAZ", change.multi_az),
        optional("EngineVersion", change.engine_version),
        optional("Iops", change.iops),
        optional("StorageThroughput", change.storage_throughput),
        optional("StorageType", change.storage_type.as_ref()),
    ];
    Node::tree("PendingModifiedValues", nodes.into_iter().flatten().collect())
}

/// RDS ships the write-ahead log every five minutes.
fn restorable(now: Timestamp) -> Timestamp {
    now - jiff::SignedDuration::from_mins(5)
}
