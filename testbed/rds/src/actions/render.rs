//! Instances and snapshots as XML, with the element names of the service model (botocore, rds/2014-10-31).

use rds_model::{Change, DEFAULT_SECURITY_GROUP, DEFAULT_SUBNET_GROUP, Instance, Page, Snapshot, Tags};

use super::Call;
use crate::wire::Node;

/// The only VPC.
pub(super) const VPC: &str = "vpc-00000000000000001";

/// A page of a listing, with the marker of the next one where more is to come.
pub(super) fn page<T>(name: &'static str, page: &Page<T>, member: impl Fn(&T) -> Node) -> Vec<Node> {
    let marker = page.marker.as_ref().map(|marker| Node::leaf("Marker", marker));
    marker.into_iter().chain([Node::list(name, &page.items, member)]).collect()
}

/// A `DBInstance`.
pub(super) fn instance(call: &Call<'_>, instance: &Instance) -> Node {
    let account = &call.service.account;
    let status = account.status(instance, call.now);
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
        subnet_group(call, instance.subnet_group.as_deref().unwrap_or(DEFAULT_SUBNET_GROUP)),
        Node::tree(
            "DBParameterGroups",
            vec![Node::tree(
                "DBParameterGroup",
                vec![
                    Node::leaf("DBParameterGroupName", &instance.parameter_group),
                    Node::leaf("ParameterApplyStatus", instance.running.status()),
                ],
            )],
        ),
        Node::leaf("PreferredMaintenanceWindow", &instance.maintenance_window),
        pending(instance, &instance.pending_change()),
        Node::leaf("MultiAZ", instance.multi_az),
        Node::leaf("EngineVersion", instance.engine_version),
        Node::leaf("AutoMinorVersionUpgrade", instance.auto_minor_version_upgrade),
        Node::list("ReadReplicaDBInstanceIdentifiers", &instance.replicas, |id| {
            Node::leaf("ReadReplicaDBInstanceIdentifier", id)
        }),
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
        Node::leaf("StorageEncryptionType", encryption(instance)),
        Node::leaf("DbiResourceId", &instance.resource_id),
        Node::leaf("CACertificateIdentifier", &instance.ca_certificate),
        Node::tree("DomainMemberships", vec![]),
        Node::leaf("CopyTagsToSnapshot", instance.copy_tags_to_snapshot),
        Node::leaf("MonitoringInterval", instance.monitoring.interval),
        Node::leaf("DBInstanceArn", call.service.account.arn("db", &instance.id)),
        Node::leaf("IAMDatabaseAuthenticationEnabled", instance.iam_authentication),
        Node::leaf("DatabaseInsightsMode", if instance.insights.advanced { "advanced" } else { "standard" }),
        Node::leaf("PerformanceInsightsEnabled", instance.insights.enabled.is_some()),
        Node::leaf("DeletionProtection", instance.deletion_protection),
        Node::tree("AssociatedRoles", vec![]),
        tag_list(&instance.tags),
        Node::leaf("CustomerOwnedIpEnabled", false),
        Node::leaf("NetworkType", "IPV4"),
        Node::leaf("ActivityStreamStatus", "stopped"),
        Node::leaf("BackupTarget", "region"),
        Node::tree(
            "CertificateDetails",
            vec![Node::leaf("CAIdentifier", &instance.ca_certificate), Node::leaf("ValidTill", "2061-01-01T00:00:00Z")],
        ),
        Node::leaf("DedicatedLogVolume", instance.dedicated_log_volume),
        Node::leaf("IsStorageConfigUpgradeAvailable", false),
        Node::leaf("EngineLifecycleSupport", &instance.lifecycle_support),
    ];
    if instance.has_endpoint() {
        nodes.push(Node::time("InstanceCreateTime", instance.created_at));
        nodes.push(Node::leaf("AvailabilityZone", &instance.availability_zone));
        if !instance.ordered.without_endpoint {
            nodes.push(Node::tree(
                "Endpoint",
                vec![
                    Node::leaf("Address", call.service.env.endpoints.host(&instance.id)),
                    Node::leaf("Port", call.service.env.endpoints.port(instance.port)),
                    Node::leaf("HostedZoneId", "ZLOCAL"),
                ],
            ));
        }
        if instance.multi_az {
            let zone = format!("{}b", call.service.account.region);
            nodes.push(Node::leaf("SecondaryAvailabilityZone", zone));
        }
    }
    if !instance.log_exports.is_empty() {
        nodes
            .push(Node::list("EnabledCloudwatchLogsExports", &instance.log_exports, |name| Node::leaf("member", name)));
    }
    let times = account.times(instance);
    for (name, at) in [
        ("LatestRestorableTime", times.latest_restorable(instance, call.now)),
        ("AutomaticRestartTime", times.automatic_restart(instance)),
    ] {
        nodes.extend(at.map(|at| Node::time(name, at)));
    }
    if let Some((operation, percent)) = times.storage_operation(instance, call.now) {
        nodes.push(Node::leaf("StorageOperationStatus", operation));
        nodes.push(Node::leaf("StorageOperationPercentProgress", percent));
    }
    nodes.extend(monitoring(call, instance));
    let insights = instance.insights.enabled.as_ref();
    let optional = [
        optional("PerformanceInsightsKMSKeyId", insights.map(|kept| &kept.kms_key)),
        optional("PerformanceInsightsRetentionPeriod", insights.map(|kept| kept.days)),
        optional("DBName", instance.db_name.as_ref()),
        optional("ReadReplicaSourceDBInstanceIdentifier", instance.replica_source.as_ref()),
        optional("Iops", instance.iops),
        optional("StorageThroughput", instance.storage_throughput),
        optional("KmsKeyId", instance.kms_key_id.as_ref()),
        optional("MaxAllocatedStorage", instance.max_allocated_storage),
    ];
    nodes.extend(optional.into_iter().flatten());
    Node::tree("DBInstance", nodes)
}

/// Where Enhanced Monitoring writes, while it is on.
fn monitoring(call: &Call<'_>, instance: &Instance) -> Vec<Node> {
    let Some(role) = &instance.monitoring.role else {
        return Vec::new();
    };
    let (region, account) = (&call.service.account.region, &call.service.account.id);
    let stream = format!("arn:aws:logs:{region}:{account}:log-group:RDSOSMetrics:log-stream:{}", instance.resource_id);
    vec![Node::leaf("MonitoringRoleArn", role), Node::leaf("EnhancedMonitoringResourceArn", stream)]
}

/// A `DBSnapshot`.
pub(super) fn snapshot(call: &Call<'_>, snapshot: &Snapshot) -> Node {
    snapshot_in(call, snapshot, snapshot.status.name())
}

/// A `DBSnapshot` as the answer to its deletion shows it.
pub(super) fn deleted_snapshot(call: &Call<'_>, snapshot: &Snapshot) -> Node {
    snapshot_in(call, snapshot, "deleted")
}

fn snapshot_in(call: &Call<'_>, snapshot: &Snapshot, status: &'static str) -> Node {
    let source = &snapshot.source;
    let progress = if snapshot.available() { 100 } else { 0 };
    let mut nodes = vec![
        Node::leaf("DBSnapshotIdentifier", &snapshot.id),
        Node::leaf("DBInstanceIdentifier", &source.id),
        Node::leaf("Engine", "postgres"),
        Node::leaf("AllocatedStorage", source.allocated_storage),
        Node::leaf("Status", status),
        Node::leaf("Port", call.service.env.endpoints.port(source.port)),
        Node::leaf("AvailabilityZone", &source.availability_zone),
        Node::leaf("VpcId", VPC),
        Node::time("InstanceCreateTime", source.created_at),
        Node::leaf("MasterUsername", &source.master_username),
        Node::leaf("EngineVersion", source.engine_version),
        Node::leaf("LicenseModel", "postgresql-license"),
        Node::leaf("SnapshotType", snapshot.kind.name()),
        Node::leaf("OptionGroupName", format_args!("default:postgres-{}", source.engine_version.major)),
        Node::leaf("PercentProgress", progress),
        Node::leaf("StorageType", &source.storage_type),
        Node::leaf("Encrypted", source.storage_encrypted),
        Node::leaf("StorageEncryptionType", encryption(source)),
        Node::leaf("BackupRetentionPeriod", source.backup_retention),
        Node::leaf("PreferredBackupWindow", &source.backup_window),
        Node::leaf("DBSnapshotArn", call.service.account.arn("snapshot", &snapshot.id)),
        Node::leaf("IAMDatabaseAuthenticationEnabled", source.iam_authentication),
        Node::tree("ProcessorFeatures", vec![]),
        Node::leaf("DbiResourceId", &source.resource_id),
        tag_list(&snapshot.tags),
        Node::leaf("SnapshotTarget", "region"),
        Node::leaf("DedicatedLogVolume", source.dedicated_log_volume),
        Node::time("OriginalSnapshotCreateTime", snapshot.original_created_at()),
    ];
    if snapshot.available() {
        nodes.push(Node::time("SnapshotCreateTime", snapshot.created_at));
        nodes.push(Node::time("SnapshotDatabaseTime", snapshot.original_created_at()));
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

pub(super) fn encryption(instance: &Instance) -> &'static str {
    if instance.storage_encrypted { "sse-kms" } else { "none" }
}

pub(super) fn optional(name: &'static str, value: Option<impl std::fmt::Display>) -> Option<Node> {
    value.map(|value| Node::leaf(name, value))
}

/// Who names no group is in the default one of the VPC.
fn security_groups(groups: &[String]) -> Node {
    let default = [DEFAULT_SECURITY_GROUP];
    let named = groups.iter().map(String::as_str);
    let groups: Vec<&str> = if groups.is_empty() { default.to_vec() } else { named.collect() };
    Node::list("VpcSecurityGroups", groups, |group| {
        Node::tree(
            "VpcSecurityGroupMembership",
            vec![Node::leaf("VpcSecurityGroupId", group), Node::leaf("Status", "active")],
        )
    })
}

/// A group with a subnet in each of two zones, as RDS asks for.
fn subnet_group(call: &Call<'_>, name: &str) -> Node {
    let subnets = ["a", "b"].map(|zone| {
        let zone_name = Node::leaf("Name", format_args!("{}{zone}", call.service.account.region));
        Node::tree(
            "Subnet",
            vec![
                Node::leaf("SubnetIdentifier", format_args!("subnet-0000000000000000{zone}")),
                Node::tree("SubnetAvailabilityZone", vec![zone_name]),
                Node::tree("SubnetOutpost", vec![]),
                Node::leaf("SubnetStatus", "Active"),
            ],
        )
    });
    Node::tree(
        "DBSubnetGroup",
        vec![
            Node::leaf("DBSubnetGroupName", name),
            Node::leaf("DBSubnetGroupDescription", name),
            Node::leaf("VpcId", VPC),
            Node::leaf("SubnetGroupStatus", "Complete"),
            Node::tree("Subnets", subnets.to_vec()),
            Node::leaf("DBSubnetGroupArn", call.service.account.arn("subgrp", name)),
        ],
    )
}

/// A pending password is shown as asterisks, as RDS does.
fn pending(present: &Instance, change: &Change) -> Node {
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
        optional("DBInstanceIdentifier", change.new_id.as_ref()),
        optional("CACertificateIdentifier", change.certificate.as_ref().map(|rotation| &rotation.authority)),
        optional("IAMDatabaseAuthenticationEnabled", change.iam_authentication),
        optional("DedicatedLogVolume", change.dedicated_log_volume),
        optional("Port", change.port),
    ];
    Node::tree("PendingModifiedValues", nodes.into_iter().flatten().chain(pending_exports(present, change)).collect())
}

/// Log types that are on their way to CloudWatch, and those that are on their way out.
fn pending_exports(present: &Instance, change: &Change) -> Option<Node> {
    let new = change.log_exports.as_ref()?;
    let member = |name| Node::leaf("member", name);
    let (enabled, disabled) = (
        new.iter().filter(|name| !present.log_exports.contains(name)),
        present.log_exports.iter().filter(|name| !new.contains(name)),
    );
    Some(Node::tree(
        "PendingCloudwatchLogsExports",
        vec![Node::list("LogTypesToEnable", enabled, member), Node::list("LogTypesToDisable", disabled, member)],
    ))
}
