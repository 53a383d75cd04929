//! What the reconciler reads and writes in Kubernetes, and nothing more.

use std::collections::BTreeMap;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;
use shared::api::RDSDatabase;
use thiserror::Error;

/// Why Kubernetes did not do what it was asked.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// There is one of that name already, or it has changed meanwhile: look again.
    #[error("{0} has changed meanwhile")]
    Conflict(String),
    /// The object would be larger than what Kubernetes stores: asking again helps nobody.
    #[error("{0}: too large to be stored")]
    TooLarge(String),
    /// The namespace is being deleted.
    #[error("the namespace is being deleted")]
    NamespaceTerminating,
    /// The API server refused or was not reached.
    #[error("{what}: {why}")]
    Api {
        /// What was asked.
        what: String,
        /// The answer, in the API server's words.
        why: String,
        /// The client's error.
        source: Box<kube::Error>,
    },
}

/// A namespace, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// It is being deleted.
    pub terminating: bool,
}

/// Which object was read, and as what: a write on any other, or on what it has become since, is a conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion.
    pub resource: String,
}

impl Version {
    /// That of an object as it was read, where it cannot be decoded.
    pub fn in_json(raw: &Value) -> Self {
        let text = |key: &str| raw["metadata"][key].as_str().unwrap_or_default().to_owned();
        Self { uid: text("uid"), resource: text("resourceVersion") }
    }

    /// That of an object as it was read.
    pub fn of(metadata: &ObjectMeta) -> Self {
        Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            resource: metadata.resource_version.clone().unwrap_or_default(),
        }
    }
}

/// An Event on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// A warning, not a normal course of things.
    pub warning: bool,
    /// What it is about, CamelCase.
    pub reason: &'static str,
    /// What was done, CamelCase.
    pub action: String,
    /// For people.
    pub note: String,
}

/// Kubernetes. Reads go to the API server, never to a cache: a decision on a stale truth can cost a database.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// The object as it is now: whether it can be read as what it should be is for those to judge who asked.
    async fn database(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError>;
    /// Its namespace.
    async fn namespace(&self, name: &str) -> Result<NamespaceFacts, ClusterError>;
    /// Sets or removes our finalizer, on the very version that was read.
    async fn set_finalizer(&self, object: &RDSDatabase, present: bool) -> Result<(), ClusterError>;
    /// Writes the status of an object, on the very version that was read.
    async fn write_status(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        status: &Value,
    ) -> Result<(), ClusterError>;

    /// A Secret by name.
    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ClusterError>;
    /// The Secrets that are labelled as the object's.
    async fn secrets_of(&self, namespace: &str, name: &str) -> Result<Vec<Secret>, ClusterError>;
    /// Creates a Secret; one that is there already is a conflict.
    async fn create_secret(&self, secret: &Secret) -> Result<(), ClusterError>;
    /// Changes keys of a Secret that is still as it was read; `None` takes one out.
    async fn update_secret(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        change: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<(), ClusterError>;
    /// Deletes a Secret that is still as it was read.
    async fn delete_secret(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError>;

    /// A Service by name.
    async fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, ClusterError>;
    /// Creates a Service; one that is there already is a conflict.
    async fn create_service(&self, service: &Service) -> Result<(), ClusterError>;
    /// Points a Service elsewhere that is still as it was read.
    async fn update_service(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        to: &Service,
    ) -> Result<(), ClusterError>;
    /// Deletes a Service that is still as it was read.
    async fn delete_service(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError>;

    /// Tells people of something that happened to an object. Never fails: an Event is not worth a pass.
    async fn notify(&self, object: &RDSDatabase, notice: Notice);
}
