//! The cloud and the servers as one process reaches them: through its gate.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use reconciler::engine::{Dialect, Engine, EngineError, Login, Password, Passwords, Planned, Question, Session};
use reconciler::providers::{
    Backup, Cloud, CloudError, ConnectError, Connected, Connector, Group, Identity, Instance, Maintenance, Offered,
    ProviderConfig, Quota, Request, Snapshot, Source, Upgrades,
};
use shared::rules::Engine as DatabaseEngine;

use crate::gate::Gate;

/// What is reached through a gate.
pub(crate) struct Gated<T> {
    pub(crate) inner: T,
    pub(crate) gate: Arc<Gate>,
}

#[async_trait]
impl<T: Connector> Connector for Gated<T> {
    async fn connect(&self, provider: &ProviderConfig) -> Result<Connected, ConnectError> {
        self.gate.pass().await;
        let Connected { cloud, identity, region } = self.inner.connect(provider).await?;
        let cloud = Arc::new(Gated { inner: cloud, gate: self.gate.clone() });
        Ok(Connected { cloud, identity, region })
    }
}

#[async_trait]
impl Cloud for Gated<Arc<dyn Cloud>> {
    async fn identity(&self) -> Result<Identity, CloudError> {
        self.gate.pass().await;
        self.inner.identity().await
    }

    async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
        self.gate.pass().await;
        self.inner.inventory().await
    }

    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError> {
        self.gate.pass().await;
        self.inner.snapshots_of(identifier).await
    }

    async fn snapshot_quota(&self) -> Result<Quota, CloudError> {
        self.gate.pass().await;
        self.inner.snapshot_quota().await
    }

    async fn backups(&self, source: &Source) -> Result<Vec<Backup>, CloudError> {
        self.gate.pass().await;
        self.inner.backups(source).await
    }

    async fn upgrades(&self, engine: DatabaseEngine, version: &str, identifier: &str) -> Result<Upgrades, CloudError> {
        self.gate.pass().await;
        self.inner.upgrades(engine, version, identifier).await
    }

    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError> {
        self.gate.pass().await;
        self.inner.look(identifier).await
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CloudError> {
        self.gate.pass().await;
        self.inner.group(name).await
    }

    async fn groups(&self) -> Result<Vec<String>, CloudError> {
        self.gate.pass().await;
        self.inner.groups().await
    }

    async fn parameters(&self, family: &str) -> Result<Offered, CloudError> {
        self.gate.pass().await;
        self.inner.parameters(family).await
    }

    async fn maintenance(&self) -> Result<BTreeMap<String, Vec<Maintenance>>, CloudError> {
        self.gate.pass().await;
        self.inner.maintenance().await
    }

    async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
        self.gate.effect(self.inner.carry_out(request)).await
    }
}

#[async_trait]
impl<E: Engine> Engine for Gated<E> {
    const DIALECT: &'static dyn Dialect = E::DIALECT;

    type Catalog = E::Catalog;
    type Step = E::Step;
    type Blocked = E::Blocked;
    type Privileges = E::Privileges;
    type Session = Gated<E::Session>;

    async fn look(&self, master: &Login, question: Question<'_>) -> Result<Self::Catalog, EngineError> {
        self.gate.pass().await;
        self.inner.look(master, question).await
    }

    fn plan(
        question: Question<'_>,
        passwords: &Passwords,
        catalog: &Self::Catalog,
    ) -> Planned<Self::Step, Self::Blocked> {
        E::plan(question, passwords, catalog)
    }

    fn set_password(user: &str, password: &Password) -> Self::Step {
        E::set_password(user, password)
    }

    fn session(&self, master: &Login) -> Self::Session {
        Gated { inner: self.inner.session(master), gate: self.gate.clone() }
    }

    async fn check_login(&self, login: &Login) -> Result<Self::Privileges, EngineError> {
        self.gate.pass().await;
        self.inner.check_login(login).await
    }
}

#[async_trait]
impl<S: Sync, T: Session<S>> Session<S> for Gated<T> {
    async fn carry_out(&mut self, step: &S) -> Result<(), EngineError> {
        let Self { inner, gate } = self;
        gate.effect(inner.carry_out(step)).await
    }

    fn is_closed(&self, database: &str) -> bool {
        self.inner.is_closed(database)
    }

    async fn close(self) {
        self.inner.close().await;
    }
}
