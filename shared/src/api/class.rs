//! `RDSDatabaseClass`: what the platform decides and an application must not.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::database::Storage;
use super::{DeletionPolicy, schema};

/// Where databases of this class live and what they may be. Every field may be absent.
#[derive(CustomResource, JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "matrixmind.cloud",
    version = "v1",
    kind = "RDSDatabaseClass",
    plural = "rdsdatabaseclasses",
    shortname = "rdsclass",
    derive = "PartialEq",
    derive = "Default",
    status = "RDSDatabaseClassStatus",
    doc = "A class of managed databases: where they live and the limits the platform sets.",
    printcolumn(name = "Provider", type_ = "string", json_path = ".spec.provider", description = "Cloud provider."),
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region", description = "Region."),
    printcolumn(name = "Class", type_ = "string", json_path = ".spec.instanceClass", description = "Instance class."),
    printcolumn(
        name = "Default",
        type_ = "string",
        json_path = r".metadata.annotations.rdsdatabaseclass\.matrixmind\.cloud/is-default-class",
        description = "Whether objects that name no class get this one."
    ),
    printcolumn(
        name = "Databases",
        type_ = "integer",
        json_path = ".status.databases",
        description = "How many databases it has."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since it was made."
    )
)]
#[serde(rename_all = "camelCase")]
pub struct RDSDatabaseClassSpec {
    /// Cloud provider: `aws`. It never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::provider")]
    pub provider: Option<String>,

    /// Region the databases live in, such as `eu-central-1`; without it, the reconciler's own. It never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::region")]
    pub region: Option<String>,

    /// ARN of the IAM role the reconciler assumes; without it, its own credentials. It never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::role_arn")]
    pub role_arn: Option<String>,

    /// Address of the RDS API where it is not the region's own, such as a VPC endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::endpoint")]
    pub endpoint: Option<String>,

    /// Instance class of databases that name none, such as `db.t4g.micro`, which it is without a word here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::instance_class")]
    pub instance_class: Option<String>,

    /// Storage type; gp3 without a word here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::storage_type")]
    pub storage_type: Option<String>,

    /// Whether databases that say nothing have a standby in another zone; without a word here, they have none.
    #[serde(rename = "multiAZ", skip_serializing_if = "Option::is_none")]
    pub multi_az: Option<bool>,

    /// Whether databases that say nothing go on into RDS's Extended Support, which is billed: `open-source-rds-extended-support`, or
    /// `open-source-rds-extended-support-disabled`; RDS has it on without a word here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::lifecycle_support")]
    pub engine_lifecycle_support: Option<String>,

    /// Maintenance window of databases that name none, such as `sun:04:00-sun:05:00` in UTC; RDS chooses without a word here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::weekly_window")]
    pub maintenance_window: Option<String>,

    /// Backup window of databases that name none, such as `02:00-03:00` in UTC; RDS chooses without a word here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::daily_window")]
    pub backup_window: Option<String>,

    /// DB subnet group: the subnets, and with them the VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::text")]
    pub subnet_group: Option<String>,

    /// IDs of the VPC security groups that decide who reaches the databases. A change reaches those that run.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::security_groups")]
    pub security_groups: Vec<String>,

    /// KMS key that encrypts the storage, as ID, ARN or alias; without it, the account's key for RDS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::long_text")]
    pub kms_key: Option<String>,

    /// Tags of every instance and snapshot, beside the operator's own, which begin with `matrixmind.cloud/`. A change reaches those
    /// that run; one that leaves the class stays there.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::tags")]
    pub tags: BTreeMap<String, String>,

    /// Parameters of the server where a database says nothing of them, such as `log_min_duration_statement: 1000`. A change reaches the databases
    /// that were made with parameters of this operator's: each takes it up with a restart, an outage, in its maintenance window.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::parameters")]
    pub parameters: BTreeMap<String, Option<Value>>,

    /// The parameters a database may set, as names or beginnings such as `log_*`; without it, all that the provider lets one set. `[]` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::parameter_patterns")]
    pub allowed_parameters: Option<Vec<String>>,

    /// The deletion policies a database may have; without a word here, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::deletion_policies")]
    pub allowed_deletion_policies: Option<Vec<DeletionPolicy>>,

    /// The deletion policy of databases that name none; Snapshot without a word here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::deletion_policy")]
    pub default_deletion_policy: Option<DeletionPolicy>,

    /// The largest size a database may have, such as `500Gi`, also where it grows by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::size")]
    pub max_size: Option<String>,

    /// The storage types a database may have; without it, all of them. The class's own `storageType` must be among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::allowed_storage_types")]
    pub allowed_storage_types: Option<Vec<String>>,

    /// Whether a database may ask for a standby in another zone, which costs as much again. True without a word here.
    #[serde(rename = "allowMultiAZ", skip_serializing_if = "Option::is_none")]
    pub allow_multi_az: Option<bool>,

    /// Whether a database may ask for Extended Support, which is billed past the standard support of its version. True without a word here; where
    /// it is false, databases that say nothing are made with it disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_extended_support: Option<bool>,

    /// The most I/O operations a second that a database may ask for, such as 16000; without it, as many as the provider offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = *Storage::IOPS.start(), max = *Storage::IOPS.end()))]
    pub max_iops: Option<i32>,

    /// The instance classes a database may have, as names or families such as `db.t4g.*`; without it, all of them. The class's own
    /// `instanceClass` must be among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::instance_class_patterns")]
    pub allowed_instance_classes: Option<Vec<String>>,

    /// The versions a database may have, such as `"17"`, which allows all of its minor versions, or `"16.4"`; without it, all of
    /// them. A database that names none asks for the webhook's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::versions")]
    pub allowed_versions: Option<Vec<String>>,

    /// The longest time a database may keep its backups, such as `14d`; at least 7d, which databases get that say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::max_retention")]
    pub max_retention: Option<String>,

    /// Whether a database may take over an instance that is there already (`spec.adopt`), where that instance's own tag
    /// `matrixmind.cloud/adopt` names it. False without a word here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_adoption: Option<bool>,

    /// Snapshots that every database of this class may be restored from, whatever their tags say: names, or beginnings such as `legacy-*`.
    /// Without it, only those whose tags name this cluster and the database's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::snapshot_patterns")]
    pub restorable_snapshots: Option<Vec<String>>,

    /// The namespaces whose databases may have this class, by their labels; without it, every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<LabelSelector>,

    /// Whether users may have the flag `createrole`, which up to PostgreSQL 15 lets them reset the master user's
    /// password. True without a word here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_createrole: Option<bool>,
}

/// What the reconciler says of a class, where it sees the databases of all namespaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RDSDatabaseClassStatus {
    /// How many databases were made with this class, or name it and are not made yet. Until there are none, it is not deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub databases: Option<i64>,
    /// `DefaultAmbiguous` where another class is marked as the default one as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Null means absent here as everywhere.
fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
