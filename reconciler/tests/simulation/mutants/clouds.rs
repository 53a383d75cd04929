//! Faults of how the cloud is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use reconciler::providers::{
    Backup, Cloud, CloudError, Group, Identity, Instance, Maintenance, Offered, Quota, Request, Snapshot, Source,
    Upgrades,
};
use shared::rules::Engine;

pub(super) fn unasked(cloud: Arc<dyn Cloud>) -> Arc<dyn Cloud> {
    Arc::new(Unasked(cloud))
}

/// It never asks for an instance by its name: what a list does not hold is not there.
struct Unasked(Arc<dyn Cloud>);

#[async_trait]
impl Cloud for Unasked {
    async fn identity(&self) -> Result<Identity, CloudError> {
        self.0.identity().await
    }

    async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
        self.0.inventory().await
    }

    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError> {
        self.0.snapshots_of(identifier).await
    }

    async fn snapshot_quota(&self) -> Result<Quota, CloudError> {
        self.0.snapshot_quota().await
    }

    async fn backups(&self, source: &Source) -> Result<Vec<Backup>, CloudError> {
        self.0.backups(source).await
    }

    async fn upgrades(&self, engine: Engine, version: &str, identifier: &str) -> Result<Upgrades, CloudError> {
        self.0.upgrades(engine, version, identifier).await
    }

    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError> {
        let instances = self.0.inventory().await?;
        Ok(instances.into_iter().find(|instance| instance.identifier == identifier))
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CloudError> {
        self.0.group(name).await
    }

    async fn groups(&self) -> Result<Vec<String>, CloudError> {
        self.0.groups().await
    }

    async fn parameters(&self, family: &str) -> Result<Offered, CloudError> {
        self.0.parameters(family).await
    }

    async fn maintenance(&self) -> Result<BTreeMap<String, Vec<Maintenance>>, CloudError> {
        self.0.maintenance().await
    }

    async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
        self.0.carry_out(request).await
    }
}
