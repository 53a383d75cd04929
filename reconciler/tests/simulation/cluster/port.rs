//! Kubernetes as one process reaches it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt as _;
use reconciler::cluster::{Cluster, ClusterError, Echoes, NamespaceFacts, Notice, Version};
use reconciler::entropy::Entropy;
use serde_json::Value;
use shared::api::RDSDatabase;
use shared::api::labels::{DATABASE_LABEL, FINALIZER};

use super::write::refused;
use super::{ClusterEvent, Kubernetes, State, Write, key};
use crate::faults::{Fault, Faults, Port};
use crate::gate::Gate;
use crate::history::Event;

/// The slowest answer.
const SLOWEST: Duration = Duration::from_millis(400);
/// An answer that has not come by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The client of one process.
pub(crate) struct Client {
    pub(crate) kubernetes: Arc<Kubernetes>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) faults: Arc<dyn Faults>,
    pub(crate) chance: Arc<dyn Entropy>,
    pub(crate) echoes: Echoes,
}

impl Client {
    /// Half of all calls are answered at once, most of the others soon.
    async fn travel(&self) {
        self.gate.pass().await;
        let slowness = self.chance.fraction() * 2.0 - 1.0;
        if slowness > 0.0 {
            tokio::time::sleep(SLOWEST.mul_f64(slowness.powi(3))).await;
        }
    }

    async fn read<T>(&self, action: &'static str, serve: impl FnOnce(&State) -> T) -> Result<T, ClusterError> {
        self.travel().await;
        match self.faults.of(Port::Cluster, action) {
            // What is read is what is true: a read of this operator's is never answered from a cache.
            Fault::None | Fault::Stale | Fault::Partial | Fault::Outrun => Ok(serve(&self.kubernetes.lock())),
            fault => Err(self.failed(action, fault).await),
        }
    }

    async fn write(&self, action: &'static str, write: Write) -> Result<(), ClusterError> {
        let made = async {
            self.travel().await;
            let make = || self.kubernetes.make(&mut self.kubernetes.lock(), &write);
            let heard = || make().map(|written| written.into_iter().for_each(|written| self.echoes.wrote(written)));
            match self.faults.of(Port::Cluster, action) {
                Fault::None | Fault::Stale | Fault::Partial => heard(),
                Fault::Outrun => {
                    self.kubernetes.history.log(format_args!("{action}: somebody is faster"));
                    self.kubernetes.outrun(&write);
                    heard()
                }
                fault @ Fault::AnswerLost => {
                    // Nobody hears whether it was made.
                    drop(make());
                    Err(self.failed(action, fault).await)
                }
                fault @ Fault::Late(by) => {
                    let due = self.kubernetes.time.elapsed() + PATIENCE + by;
                    self.kubernetes.lock().late.push((due, write.clone()));
                    Err(self.failed(action, fault).await)
                }
                fault => Err(self.failed(action, fault).await),
            }
        };
        self.gate.effect(made).await
    }

    async fn failed(&self, action: &'static str, fault: Fault) -> ClusterError {
        self.kubernetes.history.log(format_args!("{action}: {fault:?}"));
        match fault {
            Fault::Throttled => refused(action, 429, "TooManyRequests"),
            Fault::Forbidden => refused(action, 403, "Forbidden"),
            Fault::Lost | Fault::AnswerLost | Fault::Late(_) => {
                tokio::time::sleep(PATIENCE).await;
                refused(action, 504, "Timeout")
            }
            Fault::None | Fault::Stale | Fault::Partial | Fault::Outrun | Fault::Broken => {
                refused(action, 500, "InternalError")
            }
        }
    }
}

#[async_trait]
impl Cluster for Client {
    async fn database(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        let found = self.read("get database", |state| state.databases.get(&key(namespace, name)).cloned()).await?;
        Ok(found.map(Arc::unwrap_or_clone))
    }

    async fn namespace(&self, name: &str) -> Result<NamespaceFacts, ClusterError> {
        self.read("get namespace", |state| state.namespaces.get(name).cloned().unwrap_or_default()).await
    }

    async fn set_finalizer(&self, object: &RDSDatabase, present: bool) -> Result<(), ClusterError> {
        let mut finalizers: Vec<String> =
            object.finalizers().iter().filter(|found| *found != FINALIZER).cloned().collect();
        finalizers.extend(present.then(|| FINALIZER.to_owned()));
        let of = key(&object.namespace().unwrap_or_default(), &object.name_any());
        let read = object.resource_version().unwrap_or_default();
        self.write("patch database", Write::Finalizers { of, read, finalizers }).await
    }

    async fn write_status(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        status: &Value,
    ) -> Result<(), ClusterError> {
        let (of, read, status) = (key(namespace, name), read.resource.clone(), Arc::new(status.clone()));
        self.write("patch status", Write::Status { of, read, status }).await
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ClusterError> {
        let found = self.read("get secret", |state| state.secrets.get(&key(namespace, name)).cloned()).await?;
        Ok(found.map(Arc::unwrap_or_clone))
    }

    async fn secrets_of(&self, namespace: &str, name: &str) -> Result<Vec<Secret>, ClusterError> {
        let theirs = |secret: &&Arc<Secret>| {
            secret.metadata.namespace.as_deref() == Some(namespace)
                && secret.labels().get(DATABASE_LABEL).map(String::as_str) == Some(name)
        };
        let found = self.read("list secrets", |state| state.secrets.values().filter(theirs).cloned().collect());
        let found: Vec<Arc<Secret>> = found.await?;
        Ok(found.into_iter().map(Arc::unwrap_or_clone).collect())
    }

    async fn create_secret(&self, secret: &Secret) -> Result<(), ClusterError> {
        self.write("create secret", Write::CreateSecret(Box::new(secret.clone()))).await
    }

    async fn update_secret(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        change: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<(), ClusterError> {
        let (of, read, change) = (key(namespace, name), read.clone(), change.clone());
        self.write("patch secret", Write::UpdateSecret { of, read, change }).await
    }

    async fn delete_secret(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        let (of, read) = (key(namespace, name), read.clone());
        self.write("delete secret", Write::DeleteSecret { of, read }).await
    }

    async fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, ClusterError> {
        let found = self.read("get service", |state| state.services.get(&key(namespace, name)).cloned()).await?;
        Ok(found.map(Arc::unwrap_or_clone))
    }

    async fn create_service(&self, service: &Service) -> Result<(), ClusterError> {
        self.write("create service", Write::CreateService(Box::new(service.clone()))).await
    }

    async fn update_service(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        to: &Service,
    ) -> Result<(), ClusterError> {
        let (of, read, to) = (key(namespace, name), read.clone(), Box::new(to.clone()));
        self.write("patch service", Write::UpdateService { of, read, to }).await
    }

    async fn delete_service(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        let (of, read) = (key(namespace, name), read.clone());
        self.write("delete service", Write::DeleteService { of, read }).await
    }

    async fn notify(&self, object: &RDSDatabase, notice: Notice) {
        self.gate.pass().await;
        let (history, uid) = (&self.kubernetes.history, object.uid().unwrap_or_default());
        history.log(format_args!("{} event {} {}", object.name_any(), notice.reason, notice.note));
        history.happened(Event::Cluster(ClusterEvent::Told { uid, note: notice.note }));
    }
}
