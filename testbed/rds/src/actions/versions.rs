//! DescribeDBEngineVersions.

use super::{Answer, Call};
use crate::versions::EngineVersion;
use crate::wire::Node;
use crate::wire::page::paginate;

/// The versions on offer, or those that a request narrows them to.
pub(super) fn describe(call: &Call<'_>) -> Answer {
    let params = call.params;
    let engine = params.text("Engine").unwrap_or("postgres");
    let asked = params.text("EngineVersion");
    let family = params.text("DBParameterGroupFamily");
    let default_only = params.boolean("DefaultOnly")?.unwrap_or(false);
    let newest = EngineVersion::resolve(None);
    let accepted = EngineVersion::all().filter(|version| {
        engine == "postgres"
            && asked.is_none_or(|asked| asked == version.to_string() || asked == version.major.to_string())
            && family.is_none_or(|family| family == version.family())
            && (!default_only
                || version.is_default() && (asked.is_some() || family.is_some() || Some(*version) == newest))
    });
    let key = |version: &EngineVersion| format!("{:05}.{:05}", version.major, version.minor);
    let page = paginate(accepted, key, params)?;
    let list = Node::list("DBEngineVersions", page.items.iter().copied(), render);
    Ok(Some(page.marker_node().into_iter().chain([list]).collect()))
}

fn render(version: EngineVersion) -> Node {
    let targets = version.upgrade_targets();
    let logs = ["postgresql", "upgrade", "iam-db-auth-error"];
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
            Node::list("ExportableLogTypes", logs, |name| Node::leaf("member", name)),
            Node::leaf("SupportsLogExportsToCloudwatchLogs", true),
            Node::leaf("SupportsReadReplica", true),
            Node::leaf("Status", "available"),
            Node::leaf("SupportsParallelQuery", false),
            Node::leaf("SupportsGlobalDatabases", false),
            Node::list("SupportedCACertificateIdentifiers", ["rds-ca-rsa2048-g1"], |name| Node::leaf("member", name)),
        ],
    )
}
