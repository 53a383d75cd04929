//! The port to Kubernetes: what the reconciler reads and writes there, and nothing more.

mod kubernetes;

use std::collections::BTreeMap;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{Secret, Service};
use shared::api::{RDSDatabase, RDSDatabaseStatus};
use thiserror::Error;

pub use kubernetes::Kubernetes;

/// Why Kubernetes did not do what it was asked.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// There is one of that name already, or it has changed meanwhile: look again.
    #[error("{0} has changed meanwhile")]
    Conflict(String),
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

/// An Event on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// A warning, not a normal course of things.
    pub warning: bool,
    /// CamelCase, for machines.
    pub reason: String,
    /// What was done, CamelCase.
    pub action: String,
    /// For people.
    pub note: String,
}

/// Kubernetes. Reads go to the API server, never to a cache: a decision on a stale truth can cost a database.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// The object as it is now.
    async fn database(&self, namespace: &str, name: &str) -> Result<Option<RDSDatabase>, ClusterError>;
    /// Its namespace.
    async fn namespace(&self, name: &str) -> Result<NamespaceFacts, ClusterError>;
    /// Sets or removes our finalizer, on the very version that was read.
    async fn set_finalizer(&self, object: &RDSDatabase, present: bool) -> Result<(), ClusterError>;
    /// Writes the status, on the very version that was read.
    async fn write_status(&self, object: &RDSDatabase, status: &RDSDatabaseStatus) -> Result<(), ClusterError>;

    /// Says in the status of an object that cannot be read that it cannot be read.
    async fn report_undecodable(
        &self,
        namespace: &str,
        name: &str,
        generation: Option<i64>,
        error: &str,
        now: jiff::Timestamp,
    ) -> Result<(), ClusterError>;

    /// A Secret by name.
    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ClusterError>;
    /// The Secrets that are labelled as the object's.
    async fn secrets_of(&self, namespace: &str, name: &str) -> Result<Vec<Secret>, ClusterError>;
    /// Creates a Secret; one that is there already is a conflict.
    async fn create_secret(&self, secret: &Secret) -> Result<(), ClusterError>;
    /// Replaces the data of a Secret, if it is still the one with this UID.
    async fn update_secret(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        data: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), ClusterError>;
    /// Deletes a Secret, if it is still the one with this UID.
    async fn delete_secret(&self, namespace: &str, name: &str, uid: &str) -> Result<(), ClusterError>;

    /// A Service by name.
    async fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, ClusterError>;
    /// Creates a Service; one that is there already is a conflict.
    async fn create_service(&self, service: &Service) -> Result<(), ClusterError>;
    /// Points a Service elsewhere, if it is still the one with this UID.
    async fn update_service(&self, namespace: &str, name: &str, uid: &str, to: &Service) -> Result<(), ClusterError>;
    /// Deletes a Service, if it is still the one with this UID.
    async fn delete_service(&self, namespace: &str, name: &str, uid: &str) -> Result<(), ClusterError>;

    /// Tells people of something that happened to an object. Never fails: an Event is not worth a pass.
    async fn notify(&self, object: &RDSDatabase, notice: Notice);
}
