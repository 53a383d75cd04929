//! Ports that tell a pass what was true before. Whatever it writes meets what is true.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{Secret, Service};
use reconciler::cluster::{Cluster, ClusterError, NamespaceFacts, Notice, Version};
use reconciler::providers::{
    Backup, Cloud, CloudError, ConnectError, Connected, Connector, Group, Identity, Instance, Maintenance, Offered,
    ProviderConfig, Quota, Request, Snapshot, Source, Upgrades,
};
use serde_json::Value;
use shared::api::RDSDatabase;
use shared::rules::Engine;

/// Reads objects from one Kubernetes, their Secrets and Services from another, and writes to a third.
pub(super) struct Behind {
    pub(super) objects: Arc<dyn Cluster>,
    pub(super) children: Arc<dyn Cluster>,
    pub(super) writes: Arc<dyn Cluster>,
}

#[async_trait]
impl Cluster for Behind {
    async fn database(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        self.objects.database(namespace, name).await
    }

    async fn namespace(&self, name: &str) -> Result<NamespaceFacts, ClusterError> {
        self.writes.namespace(name).await
    }

    async fn set_finalizer(&self, object: &RDSDatabase, present: bool) -> Result<(), ClusterError> {
        self.writes.set_finalizer(object, present).await
    }

    async fn write_status(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        status: &Value,
    ) -> Result<(), ClusterError> {
        self.writes.write_status(namespace, name, read, status).await
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ClusterError> {
        self.children.secret(namespace, name).await
    }

    async fn secrets_of(&self, namespace: &str, name: &str) -> Result<Vec<Secret>, ClusterError> {
        self.children.secrets_of(namespace, name).await
    }

    async fn create_secret(&self, secret: &Secret) -> Result<(), ClusterError> {
        self.writes.create_secret(secret).await
    }

    async fn update_secret(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        change: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<(), ClusterError> {
        self.writes.update_secret(namespace, name, read, change).await
    }

    async fn delete_secret(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        self.writes.delete_secret(namespace, name, read).await
    }

    async fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, ClusterError> {
        self.children.service(namespace, name).await
    }

    async fn create_service(&self, service: &Service) -> Result<(), ClusterError> {
        self.writes.create_service(service).await
    }

    async fn update_service(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        to: &Service,
    ) -> Result<(), ClusterError> {
        self.writes.update_service(namespace, name, read, to).await
    }

    async fn delete_service(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        self.writes.delete_service(namespace, name, read).await
    }

    async fn notify(&self, object: &RDSDatabase, notice: Notice) {
        self.writes.notify(object, notice).await;
    }
}

/// A way to clouds that list these instances; all else is as it is. `None` lists what is there.
pub(super) struct Listing<T> {
    pub(super) inner: T,
    pub(super) instances: Option<Arc<Vec<Instance>>>,
}

#[async_trait]
impl Connector for Listing<Box<dyn Connector>> {
    async fn connect(&self, provider: &ProviderConfig) -> Result<Connected, ConnectError> {
        let connected = self.inner.connect(provider).await?;
        let cloud = Arc::new(Listing { inner: connected.cloud, instances: self.instances.clone() });
        Ok(Connected { cloud, ..connected })
    }
}

#[async_trait]
impl Cloud for Listing<Arc<dyn Cloud>> {
    async fn identity(&self) -> Result<Identity, CloudError> {
        self.inner.identity().await
    }

    async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
        match &self.instances {
            Some(instances) => Ok(Vec::clone(instances)),
            None => self.inner.inventory().await,
        }
    }

    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError> {
        self.inner.snapshots_of(identifier).await
    }

    async fn snapshot_quota(&self) -> Result<Quota, CloudError> {
        self.inner.snapshot_quota().await
    }

    async fn backups(&self, source: &Source) -> Result<Vec<Backup>, CloudError> {
        self.inner.backups(source).await
    }

    async fn upgrades(&self, engine: Engine, version: &str, identifier: &str) -> Result<Upgrades, CloudError> {
        self.inner.upgrades(engine, version, identifier).await
    }

    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError> {
        self.inner.look(identifier).await
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CloudError> {
        self.inner.group(name).await
    }

    async fn groups(&self) -> Result<Vec<String>, CloudError> {
        self.inner.groups().await
    }

    async fn parameters(&self, family: &str) -> Result<Offered, CloudError> {
        self.inner.parameters(family).await
    }

    async fn maintenance(&self) -> Result<BTreeMap<String, Vec<Maintenance>>, CloudError> {
        self.inner.maintenance().await
    }

    async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
        self.inner.carry_out(request).await
    }
}
