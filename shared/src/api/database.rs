//! `RDSDatabase`: the specification as it was written.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{RDSDatabaseStatus, schema};

/// What the database should be. Every field has a default: an empty specification is a PostgreSQL 12 of 10GB.
#[derive(CustomResource, JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "matrixmind.cloud",
    version = "v1",
    kind = "RDSDatabase",
    plural = "rdsdatabases",
    shortname = "rds",
    namespaced,
    status = "RDSDatabaseStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A managed database on AWS RDS, with the users and databases inside it.",
    printcolumn(name = "Engine", type_ = "string", json_path = ".spec.type", description = "Engine."),
    printcolumn(
        name = "Version",
        type_ = "string",
        json_path = ".status.engineVersion",
        description = "Version that runs."
    ),
    printcolumn(name = "Volume", type_ = "string", json_path = ".status.volume", description = "Allocated storage."),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.databaseStatus",
        description = "The cloud's word."
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether the object is as its specification says."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why it is so; docs/reasons.md explains each."
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        description = "What is wrong or waited for.",
        priority = 1
    ),
    printcolumn(
        name = "Endpoint",
        type_ = "string",
        json_path = ".status.endpoint.host",
        description = "Where the server answers.",
        priority = 1
    ),
    printcolumn(
        name = "Instance class",
        type_ = "string",
        json_path = ".status.instance.instanceClass",
        description = "Compute size that runs.",
        priority = 1
    ),
    printcolumn(
        name = "Class",
        type_ = "string",
        json_path = ".status.instance.className",
        description = "The RDSDatabaseClass it was made by; empty for the built-in one.",
        priority = 1
    ),
    printcolumn(
        name = "Deletion policy",
        type_ = "string",
        json_path = ".spec.deletionPolicy",
        description = "What becomes of the data with the object; empty where its class decides.",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since the object was made."
    )
)]
#[serde(transparent)]
pub struct RDSDatabaseSpec(pub Option<Fields>);

/// The fields of a specification. Every one may be absent or null, which means the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    /// Database engine: `Postgresql` (the default) or `MySQL`. It never changes. MySQL is admitted, but nothing is
    /// created for it yet.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::engine")]
    pub type_: Option<String>,

    /// Version of the engine: a major version, such as `12` or `"8.4"`, or an exact one, such as `"12.22"`. Quote what
    /// has a dot. The default is 12 for PostgreSQL and 8.4 for MySQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::version")]
    pub version: Option<IntOrString>,

    /// Size of the storage, decimal (`10GB`, `10G`, `1TB`) or binary (`10Gi`, `10GiB`). It never shrinks, grows by at
    /// least 10 %, and is at least the 20Gi RDS begins with. The default is 10GB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::size")]
    pub size: Option<String>,

    /// What the storage is and does; without a word, it is as its class says and does what the provider gives with its size, or what
    /// somebody chose by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,

    /// Name of the user that administers the server; its password is in the Secret `<name>.rds.master`. It never
    /// changes. The default is sysadmin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name")]
    pub masteruser: Option<String>,

    /// The users, by name, each with its role flags: `superuser`, `createdb`, `createrole`, `inherit`, `login`,
    /// `replication`, `bypassrls`, in lower or upper case, each perhaps with `no` before it. `app: []` is a user without
    /// flags. The Secret `<name>.rds.<user>` holds its credentials. A user that is removed loses its access and its
    /// Secret; what it created goes to the owner of the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::users")]
    pub users: Option<BTreeMap<String, Option<Vec<String>>>>,

    /// The databases, by name, each with the users who work in it; all of them are in `users`. A database that is
    /// removed is kept with its data: only its users lose access.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::databases")]
    pub databases: Option<BTreeMap<String, Option<Vec<String>>>>,

    /// How often backups are made and how long they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = schema::backup_rules()))]
    pub backup: Option<Backup>,

    /// What a new instance is made of instead of being empty: a snapshot, or what the automated backups of a database of this namespace
    /// hold. It is read when the instance is made, and says nothing to one that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<RestoreFrom>,

    /// Identifier of an instance that is there already, made by hand or by another tool, and becomes this object's: its tag
    /// `matrixmind.cloud/adopt` must say `<namespace>/<name>` of this object, and the class must allow adoption. It never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::identifier")]
    pub adopt: Option<String>,

    /// Whether there is a standby in another zone, which takes over when the instance fails, and costs as much again. Without a word, the class
    /// decides at the birth, and it stays as it is after that.
    #[serde(rename = "multiAZ", skip_serializing_if = "Option::is_none")]
    pub multi_az: Option<bool>,

    /// When RDS makes what is an outage, each week in UTC, such as `sun:04:00-sun:05:00`: 30 minutes or more. Without a word, the class decides at
    /// the birth, or RDS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::weekly_window")]
    pub maintenance_window: Option<String>,

    /// Whether changes that are an outage are made at once; without it, or false, they wait for the maintenance window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply_immediately: Option<bool>,

    /// Whether `version` may name a later major version than the one that runs. The upgrade is an outage and cannot be taken back; a snapshot is
    /// made before it, which status names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_major_version_upgrade: Option<bool>,

    /// Whether the instance goes on into RDS's Extended Support, which is billed, when the standard support of its major version ends:
    /// `open-source-rds-extended-support`, or `open-source-rds-extended-support-disabled`. With the latter RDS makes no new instance of a version
    /// past its standard support, and upgrades one that runs, or is restored, to a later major version by itself. Without a word, the class
    /// decides at the birth, or RDS, which has it on; and it stays as it is after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::lifecycle_support")]
    pub engine_lifecycle_support: Option<String>,

    /// Tags of the instance and its snapshots, beside those of its class, which go first where both have a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::nullable_tags")]
    pub tags: Option<BTreeMap<String, Option<String>>>,

    /// Parameters of the server beside those of its class, such as `work_mem: 65536`, in the units and with the values of RDS's parameter groups: a
    /// text, a number, true or false. A new instance has `rds.force_ssl: 1` unless this says otherwise. The server takes a change up with a
    /// restart, an outage, in the maintenance window.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::parameters")]
    pub parameters: Option<BTreeMap<String, Option<Value>>>,

    /// Name of the RDSDatabaseClass; without it, the default class applies. What the object got is pinned in its
    /// status, so a default that changes later moves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::class_name")]
    pub class_name: Option<String>,

    /// RDS instance class, such as `db.t4g.micro`; without it, the class decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::instance_class")]
    pub instance_class: Option<String>,

    /// What becomes of the data when the object is deleted: `Snapshot` takes a final snapshot first, `Retain` keeps the
    /// instance as it is, `Delete` keeps nothing. Without it, the class decides; without a word there, it is Snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::deletion_policy")]
    pub deletion_policy: Option<String>,

    /// Whether the instance is protected: it is not deleted, with or without the object, while this is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<bool>,

    /// Whether the reconciler leaves everything as it is, for maintenance by hand. Deletion waits, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

impl Fields {
    /// Their keys, in the order of the documentation.
    pub const KEYS: [&str; 22] = [
        "type",
        "version",
        "size",
        "storage",
        "masteruser",
        "users",
        "databases",
        "backup",
        "restoreFrom",
        "adopt",
        "multiAZ",
        "maintenanceWindow",
        "applyImmediately",
        "allowMajorVersionUpgrade",
        "engineLifecycleSupport",
        "tags",
        "parameters",
        "className",
        "instanceClass",
        "deletionPolicy",
        "deletionProtection",
        "paused",
    ];
}

/// What the storage is and does. Each is left alone without a word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Storage {
    /// Storage type: `gp3`, `gp2`, `io1` or `io2`. Without a word, the class decides at the birth.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::storage_types")]
    pub type_: Option<String>,

    /// I/O operations a second, 1000 to 256000. RDS takes a number for gp3 of 400Gi or more, 12000 to 64000; below, it has 3000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = *Storage::IOPS.start(), max = *Storage::IOPS.end()))]
    pub iops: Option<i32>,

    /// Throughput in MiB/s, 125 to 4000. RDS takes a number for gp3 of 400Gi or more, 500 to 4000 and at most a quarter of the I/O operations a
    /// second; below, it has 125.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = *Storage::THROUGHPUT.start(), max = *Storage::THROUGHPUT.end()))]
    pub throughput: Option<i32>,

    /// Lets RDS grow the storage by itself before it is full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
}

impl Storage {
    /// Their keys.
    pub const KEYS: [&str; 4] = ["type", "iops", "throughput", "autoscaling"];
    /// From the fewest to the most I/O operations a second that any storage has.
    pub(crate) const IOPS: RangeInclusive<u32> = 1_000..=256_000;
    /// From the least to the most MiB/s that may be asked of any storage.
    pub(crate) const THROUGHPUT: RangeInclusive<u32> = 125..=4_000;
}

/// How the storage grows by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Autoscaling {
    /// The size up to which it may grow, such as `500Gi`: at least a tenth more than `size`. Without it, it does not grow by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::size")]
    pub max_size: Option<String>,
}

impl Autoscaling {
    /// Their keys.
    pub const KEYS: [&str; 1] = ["maxSize"];
}

/// How often backups are made, when, and how long they are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backup {
    /// Time between two backups, such as `6h` or `5d`: 30m to 365d. Up to 24h, automated backups are as good: they are continuous. From there on,
    /// or with a longer retention than 35d, a snapshot is made each time this has passed, and kept for the retention: at most 20 of
    /// one database. The default is 24h.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::duration")]
    pub every: Option<String>,

    /// How long backups are kept, in whole days: `1d` to `3650d`; automated ones for 35 days at most. The default is 7d.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::duration")]
    pub retention: Option<String>,

    /// When they are made, each day in UTC, such as `03:00-04:00`: 30 minutes or more, and none of the maintenance window's. Without a word, the
    /// class decides at the birth, or RDS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::daily_window")]
    pub window: Option<String>,
}

impl Backup {
    /// Their keys.
    pub const KEYS: [&str; 3] = ["every", "retention", "window"];
}

/// What a new instance is made of: one of both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreFrom {
    /// Name of a snapshot in the account and region of the class, such as the one that the condition FinalSnapshotExists names. Its tags must say
    /// that it is of this namespace, or the class must list it in `restorableSnapshots`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::snapshot")]
    pub snapshot: Option<String>,

    /// A moment that automated backups reach; `{}` is the latest one of this very name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_in_time: Option<PointInTime>,
}

impl RestoreFrom {
    /// Their keys.
    pub const KEYS: [&str; 2] = ["snapshot", "pointInTime"];
}

/// A moment in the life of a database of this namespace, which may be gone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PointInTime {
    /// Name of the RDSDatabase; without it, that of this object.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub database: Option<String>,

    /// The moment, such as `2026-03-29T10:15:00Z`; without it, the latest that can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub time: Option<String>,
}

impl PointInTime {
    /// Their keys.
    pub const KEYS: [&str; 2] = ["database", "time"];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemars::{Schema, schema_for};

    use super::*;

    #[test]
    fn keys_are_those_of_the_fields() {
        let fields = |schema: Schema| -> BTreeSet<String> {
            schema
                .get("properties")
                .and_then(|all| all.as_object())
                .into_iter()
                .flat_map(|all| all.keys().cloned())
                .collect()
        };
        assert_eq!(fields(schema_for!(Fields)), Fields::KEYS.map(str::to_owned).into());
        assert_eq!(fields(schema_for!(Storage)), Storage::KEYS.map(str::to_owned).into());
        assert_eq!(fields(schema_for!(Autoscaling)), Autoscaling::KEYS.map(str::to_owned).into());
        assert_eq!(fields(schema_for!(Backup)), Backup::KEYS.map(str::to_owned).into());
        assert_eq!(fields(schema_for!(RestoreFrom)), RestoreFrom::KEYS.map(str::to_owned).into());
        assert_eq!(fields(schema_for!(PointInTime)), PointInTime::KEYS.map(str::to_owned).into());
    }
}
