//! The status of an `RDSDatabase`: what the reconciler saw and did, never what it was asked for.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::Impact;

/// What is known about the database behind the object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RDSDatabaseStatus {
    /// The generation of the specification this status speaks of; -1 until the first one was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The latest observations, one for each concern; `Ready`, `Reconciling` and `Stalled` sum them up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The cloud's own word for the state of the instance, verbatim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_status: Option<String>,
    /// The instance this object owns, pinned: a class that changes later moves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceRef>,
    /// Where the server answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The version that runs, as the cloud reports it.
    // RDS's own limit is 60. Without one here, the CEL rule that reads it would be too costly to be admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub engine_version: Option<String>,
    /// Allocated storage in GiB, as the cloud reports it.
    #[serde(rename = "allocatedStorageGiB", skip_serializing_if = "Option::is_none")]
    pub allocated_storage_gib: Option<i64>,
    /// Allocated storage for people, such as `20Gi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The Secret an application binds to, after the Service Binding convention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// The users, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub users: BTreeMap<String, UserStatus>,
    /// The databases inside the instance, by name; removed ones stay listed, because they are kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub databases: BTreeMap<String, DatabaseStatus>,
    /// What logins with the Secrets' own credentials showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logins: Option<LoginsStatus>,
    /// What v0.1.0 said instead of `logins`. It is never written any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub access: BTreeMap<String, AccessStatus>,
    /// Snapshots that belong to this object's name, also those of an earlier object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<SnapshotRef>,
    /// The last upgrade to another major version, made or under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<UpgradeRef>,
    /// What the backups are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backups: Option<BackupStatus>,
    /// The steps to come, in their order: 16 at most. What is as it should be has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub plan: Vec<PlannedStep>,
}

/// A step to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStep {
    /// What is done.
    pub step: String,
    /// What it means for those who use the database, or pay for it: `none`, `brief outage`, `outage`, `irreversible`, `cost`.
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub impact: Vec<Impact>,
    /// When: `now`, in the maintenance window, or after something else is done.
    pub when: String,
}

/// An upgrade to another major version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpgradeRef {
    /// The version that ran before.
    pub from: String,
    /// The version that was asked for.
    pub to: String,
    /// The snapshot that was made before; it stays until somebody removes it.
    pub snapshot: String,
}

/// The RDS instance of an object and what was decided when it was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceRef {
    /// DBInstanceIdentifier.
    pub identifier: String,
    /// DbiResourceId: stays the same when an instance is renamed, differs when a name is used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// ARN of the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The `RDSDatabaseClass` it was made by; absent means the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Region it lives in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Account it lives in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Cloud provider it lives at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Instance class it was last seen with, such as `db.t4g.micro`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_class: Option<String>,
    /// Its master user, which never changes: after a restore it may be another one than the specification names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_user: Option<String>,
    /// Whether it was once seen to exist: from then on its absence is a loss, never a reason to make an empty one.
    #[serde(default)]
    pub created: bool,
}

/// Host and port of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// Name or address, as the cloud returned it.
    pub host: String,
    /// TCP port.
    pub port: i32,
}

/// A Secret by name, in the object's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// Name of the Secret.
    pub name: String,
}

/// A user inside the database server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserStatus {
    /// Name of the Secret with the user's credentials.
    pub secret: String,
    /// Whether the user exists as declared.
    #[serde(default)]
    pub ready: bool,
    /// What stands in the way, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A database inside the database server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseStatus {
    /// Whether the database exists as declared.
    #[serde(default)]
    pub ready: bool,
    /// The users who work in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Whether it left the specification: its data is kept, nobody but the master user works in it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
    /// Its oid in the server: one that is gone is lost, and no other of the same name takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oid: Option<i64>,
    /// What stands in the way, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// What logins with the Secrets' own credentials showed. Those that work are only counted: a status has a size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginsStatus {
    /// How many users can log in and work, counted for each of their databases.
    #[serde(default)]
    pub verified: i64,
    /// How many cannot.
    #[serde(default)]
    pub failed: i64,
    /// What was seen instead, by `user@database`: of the first 50 that failed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub failures: BTreeMap<String, String>,
}

/// What v0.1.0 said of one login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessStatus {
    /// Whether the user can log in and work in the database.
    #[serde(default)]
    pub verified: bool,
    /// What was seen instead, if not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Who made a snapshot, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SnapshotKind {
    /// Taken by the deletion of an instance.
    Final,
    /// Taken on request.
    Manual,
    /// Taken by RDS in the backup window.
    Automated,
}

/// A snapshot of the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotRef {
    /// DBSnapshotIdentifier.
    pub identifier: String,
    /// Who made it, and why.
    pub kind: SnapshotKind,
    /// The cloud's own word for its state, verbatim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// What the backups are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupStatus {
    /// The daily window in UTC, such as `03:10-03:40`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// How many days automated backups are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<i64>,
    /// The oldest moment that was seen to be restorable, and is: by automated backups, or by a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_restorable: Option<Time>,
    /// The newest moment that was restorable when this status was written. It advances every few minutes, and nothing is written for that alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_restorable: Option<Time>,
    /// How many copies are kept beside the automated backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<i64>,
    /// When the last copy was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
    /// When the next copy is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
    /// Why the asked interval is not kept, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_scheduled: Option<String>,
}
