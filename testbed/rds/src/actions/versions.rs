//! Engine versions as XML.

use rds_model::actions::{AUTHORITIES, LOGS};
use rds_model::{Availability, EngineVersion};

use crate::wire::Node;

/// A `DBEngineVersion`.
pub(super) fn version(version: EngineVersion, availability: Availability) -> Node {
    let targets = version.upgrade_targets();
    Node::tree(
        "DBEngineVersion",
        vec![
            Node::leaf("Engine", "postgres"),
            Node::leaf("MajorEngineVersion", version.major),
            Node::leaf("EngineVersion", version),
            Node::leaf("DBParameterGroupFamily", version.family()),
            Node::leaf("DBEngineDescription", "PostgreSQL"),
            Node::leaf("DBEngineVersionDescription", format_args!("PostgreSQL {version}")),
            Node::list("ValidUpgradeTarget", targets, |target| {
                Node::tree(
                    "UpgradeTarget",
                    vec![
                        Node::leaf("Engine", "postgres"),
                        Node::leaf("EngineVersion", target),
                        Node::leaf("Description", format_args!("PostgreSQL {target}")),
                        Node::leaf("AutoUpgrade", target.major == version.major),
                        Node::leaf("IsMajorVersionUpgrade", target.major != version.major),
                    ],
                )
            }),
            Node::list("ExportableLogTypes", LOGS, |name| Node::leaf("member", name)),
            Node::leaf("SupportsLogExportsToCloudwatchLogs", true),
            Node::leaf("SupportsReadReplica", true),
            Node::tree("SupportedFeatureNames", vec![]),
            Node::leaf("Status", availability.name()),
            Node::leaf("SupportsParallelQuery", false),
            Node::leaf("SupportsGlobalDatabases", false),
            Node::tree("TagList", vec![]),
            Node::leaf("SupportsBabelfish", false),
            Node::leaf("SupportsLimitlessDatabase", false),
            Node::leaf("SupportsCertificateRotationWithoutRestart", true),
            Node::list("SupportedCACertificateIdentifiers", AUTHORITIES, |name| Node::leaf("member", name)),
            Node::leaf("SupportsLocalWriteForwarding", false),
        ],
    )
}
