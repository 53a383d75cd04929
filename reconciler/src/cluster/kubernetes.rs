//! The real Kubernetes behind the port [`Cluster`].

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret, Service};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions,
};
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::api::RDSDatabase;
use shared::api::labels::{DATABASE_LABEL, FIELD_MANAGER, FINALIZER, GROUP, MANAGED_BY, MANAGED_BY_LABEL, VERSION};

use super::echoes::Echoes;
use super::events::{Allowance, Names};
use super::port::{Cluster, ClusterError, NamespaceFacts, Notice, Version};
use crate::clock::Clock;

/// The API server.
///
/// Events are created one by one: kube's Recorder folds those of one reason into a series and keeps the first note only, and here the
/// note is what tells one user's Secret from another's. What repeats itself is not sent again by those who notify.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
    instance: String,
    clock: Arc<dyn Clock>,
    events: Arc<Allowance>,
    names: Arc<Names>,
    echoes: Echoes,
}

const REPORTER: &str = "matrixmind.cloud/rds-reconciler";

impl Kubernetes {
    /// Works as `client`; Events name `instance` as their reporter and have their time from `clock`. What is written is told to `echoes`.
    pub fn new(client: Client, instance: String, clock: Arc<dyn Clock>, echoes: Echoes) -> Self {
        Self { client, instance, clock, events: Arc::default(), names: Arc::default(), echoes }
    }

    fn wrote<K: ResourceExt>(&self, written: &K) {
        self.echoes.wrote(Version::of(written.meta()));
    }

    /// The objects, whatever they hold.
    fn databases(&self, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &ApiResource::erase::<RDSDatabase>(&()))
    }

    fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    async fn get<K>(&self, namespace: &str, name: &str) -> Result<Option<K>, ClusterError>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        self.api::<K>(namespace).get_opt(name).await.map_err(|e| failed::<K>("reading", name, e))
    }

    async fn create<K>(&self, object: &K) -> Result<(), ClusterError>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Serialize
            + DeserializeOwned
            + Debug,
    {
        let namespace = object.namespace().unwrap_or_default();
        let parameters = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
        let created = self.api::<K>(&namespace).create(&parameters, object).await;
        created.map(|created| self.wrote(&created)).map_err(|e| failed::<K>("creating", &object.name_any(), e))
    }

    /// A merge patch that names UID and resourceVersion is refused where the object is another one by now, or has changed.
    async fn patch<K>(&self, namespace: &str, name: &str, patch: serde_json::Value) -> Result<(), ClusterError>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
        let patched = self.api::<K>(namespace).patch(name, &parameters, &Patch::Merge(patch)).await;
        patched.map(|patched| self.wrote(&patched)).map_err(|e| failed::<K>("changing", name, e))
    }

    async fn delete<K>(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        let preconditions =
            Preconditions { uid: Some(read.uid.clone()), resource_version: Some(read.resource.clone()) };
        let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match self.api::<K>(namespace).delete(name, &parameters).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(failed::<K>("deleting", name, error)),
        }
    }
}

fn as_read(read: &Version) -> Value {
    json!({"uid": read.uid, "resourceVersion": read.resource})
}

/// Sorts a client error; the text never holds what was sent.
fn failed<K: Resource<DynamicType = ()>>(verb: &str, name: &str, error: kube::Error) -> ClusterError {
    let what = format!("{verb} {} {name}", K::kind(&()));
    match &error {
        kube::Error::Api(status) if status.code == 409 => ClusterError::Conflict(format!("{} {name}", K::kind(&()))),
        kube::Error::Api(status) if status.code == 403 && namespace_terminating(status) => {
            ClusterError::NamespaceTerminating
        }
        kube::Error::Api(status) if too_large(status) => ClusterError::TooLarge(what),
        _ => ClusterError::Api { what, why: words(&error), source: Box::new(error) },
    }
}

/// An object that etcd does not take is told as an internal error, in words alone (etcd, `ErrRequestTooLarge`), one that not even reaches it
/// as one of gRPC (grpc-go, `checkSendCompressedMsgSize`).
fn too_large(status: &kube::core::Status) -> bool {
    let said = |words: &str| status.message.contains(words);
    status.code == 413 || said("etcdserver: request is too large") || said("trying to send message larger than max")
}

/// The API server's message alone: the client's own text repeats it with the whole answer.
fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// The API server refuses to create in a namespace that ends, with this cause (apiserver, `admission/plugin/namespace/lifecycle`).
fn namespace_terminating(status: &kube::core::Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

#[async_trait]
impl Cluster for Kubernetes {
    async fn database(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        let found = self.databases(namespace).get_opt(name).await;
        found.map(|found| found.map(|found| json!(found))).map_err(|e| failed::<RDSDatabase>("reading", name, e))
    }

    async fn namespace(&self, name: &str) -> Result<NamespaceFacts, ClusterError> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let namespace = api.get_opt(name).await.map_err(|e| failed::<Namespace>("reading", name, e))?;
        let terminating = namespace.as_ref().is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some());
        Ok(NamespaceFacts {
            labels: namespace.and_then(|namespace| namespace.metadata.labels).unwrap_or_default(),
            terminating,
        })
    }

    async fn set_finalizer(&self, object: &RDSDatabase, present: bool) -> Result<(), ClusterError> {
        let mut finalizers: Vec<String> =
            object.finalizers().iter().filter(|found| *found != FINALIZER).cloned().collect();
        if present {
            finalizers.push(FINALIZER.into());
        }
        let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}});
        self.patch::<RDSDatabase>(&object.namespace().unwrap_or_default(), &object.name_any(), patch).await
    }

    async fn write_status(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        status: &Value,
    ) -> Result<(), ClusterError> {
        // Server-side apply takes away what an earlier status said and this one does not; the resourceVersion makes a stale one fail.
        let patch = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"),
            "kind": "RDSDatabase",
            "metadata": {"name": name, "resourceVersion": read.resource},
            "status": status,
        });
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let written = self.databases(namespace).patch_status(name, &parameters, &Patch::Apply(patch)).await;
        written.map(|written| self.wrote(&written)).map_err(|e| failed::<RDSDatabase>("writing the status of", name, e))
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ClusterError> {
        self.get(namespace, name).await
    }

    async fn secrets_of(&self, namespace: &str, name: &str) -> Result<Vec<Secret>, ClusterError> {
        let selector = format!("{MANAGED_BY_LABEL}={MANAGED_BY},{DATABASE_LABEL}={name}");
        let list = self.api::<Secret>(namespace).list(&ListParams::default().labels(&selector)).await;
        list.map(|list| list.items).map_err(|e| failed::<Secret>("listing", name, e))
    }

    async fn create_secret(&self, secret: &Secret) -> Result<(), ClusterError> {
        self.create(secret).await
    }

    async fn update_secret(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        change: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<(), ClusterError> {
        // A merge patch leaves alone what it does not name, and takes out what it names as null.
        let data: BTreeMap<_, _> =
            change.iter().map(|(key, value)| (key, value.clone().map(|value| json!(ByteString(value))))).collect();
        self.patch::<Secret>(namespace, name, json!({"metadata": as_read(read), "data": data})).await
    }

    async fn delete_secret(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        self.delete::<Secret>(namespace, name, read).await
    }

    async fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, ClusterError> {
        self.get(namespace, name).await
    }

    async fn create_service(&self, service: &Service) -> Result<(), ClusterError> {
        self.create(service).await
    }

    async fn update_service(
        &self,
        namespace: &str,
        name: &str,
        read: &Version,
        to: &Service,
    ) -> Result<(), ClusterError> {
        self.patch::<Service>(namespace, name, json!({"metadata": as_read(read), "spec": to.spec})).await
    }

    async fn delete_service(&self, namespace: &str, name: &str, read: &Version) -> Result<(), ClusterError> {
        self.delete::<Service>(namespace, name, read).await
    }

    async fn notify(&self, object: &RDSDatabase, notice: Notice) {
        if !self.events.take(object.metadata.uid.as_deref().unwrap_or_default(), self.clock.now()) {
            let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
            tracing::info!(
                namespace,
                name,
                reason = notice.reason,
                "the object has had many Events: this one is not published"
            );
            return;
        }
        let now = self.clock.wall();
        let namespace = object.namespace().unwrap_or_default();
        let event = Event {
            metadata: ObjectMeta {
                name: Some(self.names.next(&object.name_any(), now)),
                namespace: Some(namespace.clone()),
                ..ObjectMeta::default()
            },
            action: Some(notice.action),
            event_time: Some(MicroTime(now)),
            note: Some(fitting(notice.note)),
            reason: Some(notice.reason.to_string()),
            regarding: Some(object.object_ref(&())),
            reporting_controller: Some(REPORTER.into()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some(if notice.warning { "Warning" } else { "Normal" }.into()),
            ..Event::default()
        };
        if let Err(error) = self.api::<Event>(&namespace).create(&PostParams::default(), &event).await {
            tracing::warn!(error = words(&error), "an Event could not be published");
        }
    }
}

/// The API server refuses longer notes (`k8s.io/api/events/v1`, Event.note).
const LONGEST_NOTE: usize = 1024;

fn fitting(note: String) -> String {
    if note.len() <= LONGEST_NOTE {
        return note;
    }
    let cut = note.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST_NOTE - '…'.len_utf8()).last();
    format!("{}…", &note[..cut.unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_notes_are_cut_between_characters() {
        for note in
            ["short".to_owned(), "x".repeat(1024), "x".repeat(1025), "ü".repeat(1000), format!("x{}", "…".repeat(900))]
        {
            let cut = fitting(note.clone());
            assert!(cut.len() <= LONGEST_NOTE, "{}", cut.len());
            assert!(note.starts_with(cut.trim_end_matches('…')));
        }
    }
}
