//! Faults of how Kubernetes is read and written.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt as _;
use reconciler::cluster::{Cluster, ClusterError, NamespaceFacts, Notice, Version};
use serde_json::Value;
use shared::api::RDSDatabase;

pub(super) fn overwriting(inner: Arc<dyn Cluster>) -> Arc<dyn Cluster> {
    Arc::new(Altered { inner, faults: Faults { overwrites_secrets: true, ..Faults::default() } })
}

pub(super) fn forgetful(inner: Arc<dyn Cluster>) -> Arc<dyn Cluster> {
    Arc::new(Altered { inner, faults: Faults { forgets_databases: true, ..Faults::default() } })
}

pub(super) fn taking(inner: Arc<dyn Cluster>) -> Arc<dyn Cluster> {
    Arc::new(Altered { inner, faults: Faults { takes_services: true, ..Faults::default() } })
}

pub(super) fn blind(inner: Arc<dyn Cluster>) -> Arc<dyn Cluster> {
    let faults = Faults { overwrites_secrets: true, sees_no_unreadable_secret: true, ..Faults::default() };
    Arc::new(Altered { inner, faults })
}

pub(super) fn unconditional(inner: Arc<dyn Cluster>) -> Arc<dyn Cluster> {
    Arc::new(Altered { inner, faults: Faults { overwrites_status: true, ..Faults::default() } })
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
struct Faults {
    overwrites_secrets: bool,
    forgets_databases: bool,
    takes_services: bool,
    sees_no_unreadable_secret: bool,
    overwrites_status: bool,
}

struct Altered {
    inner: Arc<dyn Cluster>,
    faults: Faults,
}

impl Altered {
    /// Writes a Secret as it is to be, whatever is there.
    async fn overwrite(&self, secret: &Secret) -> Result<(), ClusterError> {
        let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
        let Some(there) = self.inner.secret(&namespace, &name).await? else { return Ok(()) };
        let data = secret.data.iter().flatten().map(|(key, value)| (key.clone(), Some(value.0.clone()))).collect();
        self.inner.update_secret(&namespace, &name, &Version::of(&there.metadata), &data).await
    }
}

#[async_trait]
impl Cluster for Altered {
    async fn database(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        let mut found = self.inner.database(namespace, name).await?;
        let known = found.as_mut().and_then(|raw| raw.pointer_mut("/status/databases")?.as_object_mut());
        if let Some(known) = known.filter(|_| self.faults.forgets_databases) {
            known.clear();
        }
        Ok(found)
    }

    async fn namespace(&self, name: &str) -> Result<NamespaceFacts, ClusterError> {
        self.inner.namespace(name).await
    }

    async fn set_finalizer(&self, object: &RDSDatabase, present: bool) -> Result<(), ClusterError> {
        self.inner.set_finalizer(object, present).await
    }

    async fn write_status(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        status: &Value,
    ) -> Result<(), ClusterError> {
        match self.inner.write_status(namespace, name, read, status).await {
            Err(ClusterError::Conflict(_)) if self.faults.overwrites_status => {
                let Some(there) = self.inner.database(namespace, name).await? else { return Ok(()) };
                self.inner.write_status(namespace, name, &Version::in_json(&there), status).await
            }
            answer => answer,
        }
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ClusterError> {
        match self.inner.secret(namespace, name).await {
            Err(_) if self.faults.sees_no_unreadable_secret => Ok(None),
            answer => answer,
        }
    }

    async fn secrets_of(&self, namespace: &str, name: &str) -> Result<Vec<Secret>, ClusterError> {
        match self.inner.secrets_of(namespace, name).await {
            Err(_) if self.faults.sees_no_unreadable_secret => Ok(Vec::new()),
            answer => answer,
        }
    }

    async fn create_secret(&self, secret: &Secret) -> Result<(), ClusterError> {
        match self.inner.create_secret(secret).await {
            Err(ClusterError::Conflict(_)) if self.faults.overwrites_secrets => self.overwrite(secret).await,
            answer => answer,
        }
    }

    async fn update_secret(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        change: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<(), ClusterError> {
        match self.inner.secret(namespace, name).await {
            Ok(Some(there)) if self.faults.overwrites_secrets => {
                self.inner.update_secret(namespace, name, &Version::of(&there.metadata), change).await
            }
            _ => self.inner.update_secret(namespace, name, read, change).await,
        }
    }

    async fn delete_secret(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        self.inner.delete_secret(namespace, name, read).await
    }

    async fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, ClusterError> {
        self.inner.service(namespace, name).await
    }

    async fn create_service(&self, service: &Service) -> Result<(), ClusterError> {
        let (namespace, name) = (service.namespace().unwrap_or_default(), service.name_any());
        match self.inner.create_service(service).await {
            Err(ClusterError::Conflict(conflict)) if self.faults.takes_services => {
                let Some(there) = self.inner.service(&namespace, &name).await? else {
                    return Err(ClusterError::Conflict(conflict));
                };
                self.inner.update_service(&namespace, &name, &Version::of(&there.metadata), service).await
            }
            answer => answer,
        }
    }

    async fn update_service(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        to: &Service,
    ) -> Result<(), ClusterError> {
        self.inner.update_service(namespace, name, read, to).await
    }

    async fn delete_service(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        self.inner.delete_service(namespace, name, read).await
    }

    async fn notify(&self, object: &RDSDatabase, notice: Notice) {
        self.inner.notify(object, notice).await;
    }
}
