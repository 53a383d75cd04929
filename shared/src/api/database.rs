//! `RDSDatabase`: the specification as it was written.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RDSDatabaseStatus;

/// The specification: absent, null and empty all mean "every default".
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
    doc = "A managed database on AWS RDS, with the users and databases inside it."
)]
#[serde(transparent)]
pub struct RDSDatabaseSpec(pub Option<Fields>);

/// The fields of a specification. Every one may be absent or null, which means the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    /// Engine.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Engine version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<IntOrString>,
    /// Size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Master user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masteruser: Option<String>,
    /// Users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<BTreeMap<String, Option<Vec<String>>>>,
    /// Databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub databases: Option<BTreeMap<String, Option<Vec<String>>>>,
    /// Backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// Class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Instance class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_class: Option<String>,
    /// Deletion policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<String>,
    /// Deletion protection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<bool>,
    /// Paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// How often backups are made and how long they are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backup {
    /// Interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// Retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<String>,
}
