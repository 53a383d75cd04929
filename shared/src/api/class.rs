//! `RDSDatabaseClass`: what the platform decides and an application must not.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::DeletionPolicy;

/// Where databases of this class live and what they may be.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "matrixmind.cloud",
    version = "v1",
    kind = "RDSDatabaseClass",
    plural = "rdsdatabaseclasses",
    shortname = "rdsclass",
    derive = "PartialEq",
    derive = "Default",
    doc = "A class of managed databases: account, region, network and the limits the platform sets."
)]
#[serde(rename_all = "camelCase")]
pub struct RDSDatabaseClassSpec {
    /// Cloud provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Role to assume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Endpoint of the RDS API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Instance class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_class: Option<String>,
    /// Storage type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_type: Option<String>,
    /// Subnet group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_group: Option<String>,
    /// Security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// KMS key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Allowed deletion policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_deletion_policies: Option<Vec<DeletionPolicy>>,
    /// Default deletion policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_deletion_policy: Option<DeletionPolicy>,
    /// Largest size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<String>,
    /// Namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<LabelSelector>,
    /// Whether users may have the flag `createrole`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_createrole: Option<bool>,
}
