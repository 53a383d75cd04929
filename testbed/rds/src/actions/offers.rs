//! What can be had, as XML: of new instances, of one that is there, and of the account.

use std::ops::RangeInclusive;

use rds_model::actions::{AccountQuota, Chosen, Orderable, StorageType, ValidStorage};

use super::Call;
use crate::wire::Node;

/// An `OrderableDBInstanceOption`. Every zone has every class here.
pub(super) fn orderable(call: &Call<'_>, option: &Orderable) -> Node {
    let Orderable { version, class, storage } = option;
    let StorageType { name, sizes, iops, throughput } = storage;
    let region = &call.service.account.region;
    let zone = |letter| Node::tree("AvailabilityZone", vec![Node::leaf("Name", format_args!("{region}{letter}"))]);
    let mut nodes = vec![
        Node::leaf("Engine", "postgres"),
        Node::leaf("EngineVersion", version),
        Node::leaf("DBInstanceClass", class),
        Node::leaf("LicenseModel", "postgresql-license"),
        Node::leaf("AvailabilityZoneGroup", region),
        Node::list("AvailabilityZones", ["a", "b", "c"], zone),
        Node::leaf("MultiAZCapable", true),
        Node::leaf("ReadReplicaCapable", true),
        Node::leaf("Vpc", true),
        Node::leaf("SupportsStorageEncryption", true),
        Node::leaf("StorageType", name),
        Node::leaf("SupportsIops", iops.is_some()),
        Node::leaf("SupportsStorageThroughput", throughput.is_some()),
        Node::leaf("SupportsEnhancedMonitoring", true),
        Node::leaf("SupportsIAMDatabaseAuthentication", true),
        Node::leaf("SupportsPerformanceInsights", true),
        Node::leaf("MinStorageSize", sizes.start()),
        Node::leaf("MaxStorageSize", sizes.end()),
        Node::tree("AvailableProcessorFeatures", vec![]),
        Node::list("SupportedEngineModes", ["provisioned"], |mode| Node::leaf("member", mode)),
        Node::leaf("SupportsStorageAutoscaling", true),
        Node::leaf("SupportsKerberosAuthentication", true),
        Node::leaf("OutpostCapable", false),
        Node::tree("SupportedActivityStreamModes", vec![]),
        Node::leaf("SupportsGlobalDatabases", false),
        Node::list("SupportedNetworkTypes", ["IPV4"], |kind| Node::leaf("member", kind)),
        Node::leaf("SupportsClusters", false),
        Node::leaf("SupportsDedicatedLogVolume", name.starts_with("io")),
    ];
    let names = ["MinIopsPerDbInstance", "MaxIopsPerDbInstance", "MinIopsPerGib", "MaxIopsPerGib"];
    nodes.extend(iops.iter().flat_map(|chosen| limits(names, chosen)));
    let names = [
        "MinStorageThroughputPerDbInstance",
        "MaxStorageThroughputPerDbInstance",
        "MinStorageThroughputPerIops",
        "MaxStorageThroughputPerIops",
    ];
    nodes.extend(throughput.iter().flat_map(|chosen| limits(names, chosen)));
    Node::tree("OrderableDBInstanceOption", nodes)
}

fn limits([least, most, least_ratio, most_ratio]: [&'static str; 4], chosen: &Chosen) -> [Node; 4] {
    let Chosen { range, ratio } = chosen;
    [
        Node::leaf(least, range.start()),
        Node::leaf(most, range.end()),
        Node::leaf(least_ratio, ratio.0),
        Node::leaf(most_ratio, ratio.1),
    ]
}

/// The `ValidDBInstanceModificationsMessage`.
pub(super) fn valid_modifications(valid: &[ValidStorage]) -> Vec<Node> {
    let log_volume = valid.iter().any(|storage| storage.kind.name.starts_with("io"));
    let message = vec![
        Node::list("Storage", valid, storage),
        Node::tree("ValidProcessorFeatures", vec![]),
        Node::leaf("SupportsDedicatedLogVolume", log_volume),
    ];
    vec![Node::tree("ValidDBInstanceModificationsMessage", message)]
}

fn storage(valid: &ValidStorage) -> Node {
    let ValidStorage { kind: StorageType { name, sizes: _, iops, throughput }, sizes } = valid;
    let mut nodes = vec![
        Node::leaf("StorageType", name),
        Node::list("StorageSize", sizes, range),
        Node::leaf("SupportsStorageAutoscaling", true),
    ];
    nodes.extend(iops.iter().flat_map(|iops| chosen("ProvisionedIops", "IopsToStorageRatio", iops)));
    let names = ("ProvisionedStorageThroughput", "StorageThroughputToIopsRatio");
    nodes.extend(throughput.iter().flat_map(|throughput| chosen(names.0, names.1, throughput)));
    Node::tree("ValidStorageOptions", nodes)
}

fn chosen(name: &'static str, ratio_name: &'static str, Chosen { range: values, ratio }: &Chosen) -> [Node; 2] {
    let ratio = Node::tree("DoubleRange", vec![Node::leaf("From", ratio.0), Node::leaf("To", ratio.1)]);
    [Node::tree(name, vec![range(values)]), Node::tree(ratio_name, vec![ratio])]
}

fn range(values: &RangeInclusive<u32>) -> Node {
    let (from, to) = (Node::leaf("From", values.start()), Node::leaf("To", values.end()));
    Node::tree("Range", vec![from, to, Node::leaf("Step", 1)])
}

/// The `AccountQuotas`, with so many manual snapshots of others.
pub(super) fn account_attributes(quotas: &[AccountQuota], of_others: u64) -> Vec<Node> {
    vec![Node::list("AccountQuotas", quotas, |AccountQuota { name, used, max }| {
        let used = used + if *name == "ManualSnapshots" { of_others } else { 0 };
        let nodes = vec![Node::leaf("AccountQuotaName", name), Node::leaf("Used", used), Node::leaf("Max", max)];
        Node::tree("AccountQuota", nodes)
    })]
}
