//! What makes an object be looked at: itself, its Secrets and Services, its namespace, the classes, and the cloud.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{Namespace, Secret, Service};
use kube::api::{Api, PartialObjectMeta};
use kube::core::DeserializeGuard;
use kube::runtime::controller::Controller;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, Resource, ResourceExt};
use shared::api::RDSDatabase;
use shared::api::labels::{
    CLUSTER_TAG, MANAGED_BY, MANAGED_BY_LABEL, NAME_TAG, NAMESPACE_TAG, OWNER_NAME_ANNOTATION,
    OWNER_NAMESPACE_ANNOTATION,
};
use tokio::sync::mpsc;

use crate::providers::sweep::Change;
use crate::scope::Scope;
use crate::target::GuardedClass;

/// Objects as they are watched: one that cannot be decoded does not stop the others.
pub(crate) type Guarded = DeserializeGuard<RDSDatabase>;

/// The classes, and a stream that tells of each change in them and keeps the store full.
pub(crate) fn classes(client: Client) -> (Store<GuardedClass>, impl Stream<Item = ()> + Send + 'static) {
    let (reader, writer) = reflector::store();
    let classes = watcher(Api::<GuardedClass>::all(client), watcher::Config::default());
    let changes = classes.default_backoff().reflect(writer).filter_map(|event| async {
        match event {
            Ok(watcher::Event::Apply(_) | watcher::Event::Delete(_) | watcher::Event::InitDone) => Some(()),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "the classes cannot be watched");
                None
            }
        }
    });
    (reader, changes)
}

/// The controller with all its triggers. `aliases` is the namespace of the alias Services.
pub(crate) fn controller(
    client: &Client,
    scope: &Scope,
    aliases: Option<&str>,
    classes: impl Stream<Item = ()> + Send + 'static,
    cloud: mpsc::Receiver<Change>,
    cluster: String,
) -> Controller<Guarded> {
    let controller = Controller::new(scope.api::<Guarded>(client), watcher::Config::default());
    let objects = controller.store();
    let known = objects.clone();
    let ours = || watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
    // Only metadata is watched: the contents of Secrets are read when they are needed and not kept.
    let controller = controller
        .watches(scope.api::<PartialObjectMeta<Secret>>(client), ours(), |secret| owner(&secret))
        .watches(scope.api::<PartialObjectMeta<Service>>(client), ours(), |service| owner(&service))
        .watches(Api::<PartialObjectMeta<Namespace>>::all(client.clone()), scope.namespaces(), move |namespace| {
            in_namespace(&objects, &namespace.name_any())
        });
    let controller = match scope.beside(aliases) {
        Some(aliases) => {
            let aliases = Api::<PartialObjectMeta<Service>>::namespaced(client.clone(), aliases);
            controller.watches(aliases, ours(), |service| owner(&service))
        }
        None => controller,
    };
    controller.reconcile_all_on(classes).reconcile_on(changes(cloud, known, cluster))
}

fn owner<K>(object: &PartialObjectMeta<K>) -> Option<ObjectRef<Guarded>>
where
    K: Resource<DynamicType = ()>,
{
    let annotations = object.metadata.annotations.as_ref()?;
    let namespace = annotations.get(OWNER_NAMESPACE_ANNOTATION)?;
    Some(ObjectRef::new(annotations.get(OWNER_NAME_ANNOTATION)?).within(namespace))
}

fn in_namespace(objects: &Store<Guarded>, namespace: &str) -> Vec<ObjectRef<Guarded>> {
    let objects = objects.state();
    objects
        .iter()
        .filter(|object| object.namespace().as_deref() == Some(namespace))
        .map(|object| ObjectRef::from_obj(&**object))
        .collect()
}

/// Instances that changed, as the objects that their tags name.
fn changes(
    cloud: mpsc::Receiver<Change>,
    known: Store<Guarded>,
    cluster: String,
) -> impl Stream<Item = ObjectRef<Guarded>> + Send + 'static {
    let stream =
        futures::stream::unfold(cloud, |mut cloud| async move { cloud.recv().await.map(|change| (change, cloud)) });
    let context = Arc::new((known, cluster));
    stream.filter_map(move |Change(instance)| {
        let context = context.clone();
        async move {
            let (known, cluster) = &*context;
            let tag = |key: &str| instance.tags.get(key);
            if tag(CLUSTER_TAG) != Some(cluster) {
                return None;
            }
            let object = ObjectRef::new(tag(NAME_TAG)?).within(tag(NAMESPACE_TAG)?);
            known.get(&object).map(|_| object)
        }
    })
}
