//! Kubernetes in memory: versions, conflicts and slow answers as those of the real one. Every write is a line of the log.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use reconciler::cluster::{Cluster, ClusterError, NamespaceFacts, Notice, Version};
use reconciler::entropy::Entropy;
use reconciler::subject::GuardedClass;
use reconciler::turns::Key;
use reconciler::views::Views;
use serde_json::{Value, json};
use shared::api::RDSDatabase;
use shared::api::labels::{DATABASE_LABEL, FINALIZER};
use tokio::time::Instant;

/// The slowest answer.
const SLOWEST: Duration = Duration::from_millis(400);

/// One API server, for all processes of a simulation.
pub(crate) struct Kubernetes {
    began: Instant,
    entropy: Arc<dyn Entropy>,
    stored: Mutex<Stored>,
}

#[derive(Default)]
struct Stored {
    version: u64,
    databases: BTreeMap<Key, Value>,
    secrets: BTreeMap<Key, Secret>,
    services: BTreeMap<Key, Service>,
    log: Vec<String>,
}

fn key(namespace: &str, name: &str) -> Key {
    Key { namespace: namespace.to_owned(), name: name.to_owned() }
}

fn conflict(name: &str) -> ClusterError {
    ClusterError::Conflict(name.to_owned())
}

impl Kubernetes {
    pub(crate) fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { began: Instant::now(), entropy, stored: Mutex::default() }
    }

    /// Somebody writes an object, with the defaults that the webhook would have written.
    pub(crate) fn create_database(&self, namespace: &str, name: &str, spec: &Value) {
        let mut stored = self.lock();
        let resource = stored.next();
        let metadata = json!({
            "namespace": namespace, "name": name, "uid": format!("uid-{resource}"), "generation": 1,
            "resourceVersion": resource,
        });
        let kind = json!({"apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase"});
        let object =
            json!({"apiVersion": kind["apiVersion"], "kind": kind["kind"], "metadata": metadata, "spec": spec});
        stored.databases.insert(key(namespace, name), object);
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.lock().log.clone()
    }

    pub(crate) fn secrets(&self) -> BTreeMap<Key, Secret> {
        self.lock().secrets.clone()
    }

    pub(crate) fn status(&self, namespace: &str, name: &str) -> Value {
        self.lock().databases[&key(namespace, name)]["status"].clone()
    }

    /// An answer takes its time, on the way there and on the way back: one who dies may have had an effect and not know.
    async fn travels(&self) {
        tokio::time::sleep(SLOWEST.mul_f64(self.entropy.fraction() / 2.0)).await;
    }

    async fn answer<T>(&self, serve: impl FnOnce(&mut Stored) -> T) -> T {
        self.travels().await;
        let answer = serve(&mut self.lock());
        self.travels().await;
        answer
    }

    fn told(&self, stored: &mut Stored, line: impl Display) {
        stored.log.push(format!("{:?} {line}", self.began.elapsed()));
    }

    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn next(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    /// The object, if it is still as it was read.
    fn database(&mut self, at: &Key, read: &str) -> Result<&mut Value, ClusterError> {
        let resource = self.next();
        let object = self.databases.get_mut(at).filter(|object| object["metadata"]["resourceVersion"] == read);
        let object = object.ok_or_else(|| conflict(&at.name))?;
        object["metadata"]["resourceVersion"] = json!(resource);
        Ok(object)
    }

    fn born(&mut self, metadata: &mut ObjectMeta) -> Key {
        let resource = self.next();
        metadata.uid = Some(format!("uid-{resource}"));
        metadata.resource_version = Some(resource);
        key(metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref().unwrap_or_default())
    }
}

/// An object that is still as it was read, and has a new version from now on.
fn unchanged<'a, K: kube::Resource>(
    objects: &'a mut BTreeMap<Key, K>,
    at: &Key,
    read: &Version,
    resource: String,
) -> Result<&'a mut K, ClusterError> {
    let object = objects.get_mut(at).filter(|object| Version::of(object.meta()) == *read);
    let object = object.ok_or_else(|| conflict(&at.name))?;
    object.meta_mut().resource_version = Some(resource);
    Ok(object)
}

#[async_trait]
impl Cluster for Kubernetes {
    async fn database(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        Ok(self.answer(|stored| stored.databases.get(&key(namespace, name)).cloned()).await)
    }

    async fn namespace(&self, _: &str) -> Result<NamespaceFacts, ClusterError> {
        Ok(self.answer(|_| NamespaceFacts::default()).await)
    }

    async fn set_finalizer(&self, object: &RDSDatabase, present: bool) -> Result<(), ClusterError> {
        let at = key(&object.namespace().unwrap_or_default(), &object.name_any());
        let read = object.resource_version().unwrap_or_default();
        self.answer(|stored| {
            let finalizers = if present { json!([FINALIZER]) } else { json!([]) };
            stored.database(&at, &read)?["metadata"]["finalizers"] = finalizers;
            self.told(stored, format_args!("{} finalizer {present}", at.name));
            Ok(())
        })
        .await
    }

    async fn write_status(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        status: &Value,
    ) -> Result<(), ClusterError> {
        self.answer(|stored| {
            stored.database(&key(namespace, name), &read.resource)?["status"] = status.clone();
            self.told(stored, format_args!("{name} status {status}"));
            Ok(())
        })
        .await
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ClusterError> {
        Ok(self.answer(|stored| stored.secrets.get(&key(namespace, name)).cloned()).await)
    }

    async fn secrets_of(&self, namespace: &str, name: &str) -> Result<Vec<Secret>, ClusterError> {
        let theirs = |secret: &&Secret| {
            secret.namespace().as_deref() == Some(namespace)
                && secret.labels().get(DATABASE_LABEL).map(String::as_str) == Some(name)
        };
        Ok(self.answer(|stored| stored.secrets.values().filter(theirs).cloned().collect()).await)
    }

    async fn create_secret(&self, secret: &Secret) -> Result<(), ClusterError> {
        self.answer(|stored| {
            let mut secret = secret.clone();
            let at = stored.born(&mut secret.metadata);
            if stored.secrets.contains_key(&at) {
                return Err(conflict(&at.name));
            }
            self.told(stored, format_args!("{} created {:?}", at.name, secret.data));
            stored.secrets.insert(at, secret);
            Ok(())
        })
        .await
    }

    async fn update_secret(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        change: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<(), ClusterError> {
        self.answer(|stored| {
            let resource = stored.next();
            let secret = unchanged(&mut stored.secrets, &key(namespace, name), read, resource)?;
            let data = secret.data.get_or_insert_default();
            for (key, value) in change {
                match value {
                    Some(value) => drop(data.insert(key.clone(), ByteString(value.clone()))),
                    None => drop(data.remove(key)),
                }
            }
            self.told(stored, format_args!("{name} changed {change:?}"));
            Ok(())
        })
        .await
    }

    async fn delete_secret(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        self.answer(|stored| {
            let at = key(namespace, name);
            let resource = stored.next();
            unchanged(&mut stored.secrets, &at, read, resource)?;
            stored.secrets.remove(&at);
            self.told(stored, format_args!("{name} deleted"));
            Ok(())
        })
        .await
    }

    async fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, ClusterError> {
        Ok(self.answer(|stored| stored.services.get(&key(namespace, name)).cloned()).await)
    }

    async fn create_service(&self, service: &Service) -> Result<(), ClusterError> {
        self.answer(|stored| {
            let mut service = service.clone();
            let at = stored.born(&mut service.metadata);
            if stored.services.contains_key(&at) {
                return Err(conflict(&at.name));
            }
            self.told(stored, format_args!("{} created {:?}", at.name, service.spec));
            stored.services.insert(at, service);
            Ok(())
        })
        .await
    }

    async fn update_service(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        to: &Service,
    ) -> Result<(), ClusterError> {
        self.answer(|stored| {
            let resource = stored.next();
            unchanged(&mut stored.services, &key(namespace, name), read, resource)?.spec.clone_from(&to.spec);
            self.told(stored, format_args!("{name} changed {:?}", to.spec));
            Ok(())
        })
        .await
    }

    async fn delete_service(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        self.answer(|stored| {
            let at = key(namespace, name);
            let resource = stored.next();
            unchanged(&mut stored.services, &at, read, resource)?;
            stored.services.remove(&at);
            self.told(stored, format_args!("{name} deleted"));
            Ok(())
        })
        .await
    }

    async fn notify(&self, object: &RDSDatabase, notice: Notice) {
        let name = object.name_any();
        self.answer(|stored| self.told(stored, format_args!("{name} event {} {}", notice.reason, notice.note))).await;
    }
}

/// Watches that are never behind, in a cluster without classes.
#[async_trait]
impl Views for Kubernetes {
    fn leaving(&self, object: &Key) -> bool {
        let stored = self.lock();
        stored.databases.get(object).is_none_or(|object| object["metadata"].get("deletionTimestamp").is_some())
    }

    async fn classes(&self) -> Option<Vec<Arc<GuardedClass>>> {
        Some(Vec::new())
    }
}
