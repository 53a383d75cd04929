//! What makes an object be looked at: itself, its Secrets and Services, its namespace, the classes, and the cloud.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{Namespace, Secret, Service};
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, Resource, ResourceExt};
use shared::api::labels::{MANAGED_BY, MANAGED_BY_LABEL};
use tokio::sync::mpsc;

use crate::again::Again;
use crate::context::{Context, Guarded};
use crate::controller::reconcile;
use crate::providers::Instance;
use crate::providers::sweep::Change;
use crate::scope::Scope;
use crate::subject::{GuardedClass, is_default};
use crate::triggers;
use crate::turns::Key;
use crate::views::Views;

/// The classes, and a stream that tells of each change in them and keeps the store full.
pub(crate) fn classes(client: Client) -> (Store<GuardedClass>, impl Stream<Item = ()> + Send + 'static) {
    let (reader, writer) = reflector::store();
    let classes = watcher(Api::<GuardedClass>::all(client), watcher::Config::default());
    let mut known = HashMap::new();
    let changes = classes.default_backoff().reflect(writer).filter_map(move |event| {
        let told = match event {
            Ok(event) => tells(&mut known, &event).then_some(()),
            Err(error) => {
                tracing::warn!(%error, "the classes cannot be watched");
                None
            }
        };
        std::future::ready(told)
    });
    (reader, changes)
}

/// What decides of a class: which one it is, its specification, and whether it is the default one.
type Decides = (Option<String>, Option<i64>, bool);

/// Whether an event of a class can matter to objects. Its status is the operator's own, and changes with each object: all objects would
/// be looked at for each one that comes.
fn tells(known: &mut HashMap<String, Decides>, event: &watcher::Event<GuardedClass>) -> bool {
    let name = |class: &GuardedClass| class.meta().name.clone().unwrap_or_default();
    match event {
        watcher::Event::Apply(class) | watcher::Event::InitApply(class) => {
            let decides = (class.meta().uid.clone(), class.meta().generation, is_default(class));
            let before = known.insert(name(class), decides.clone());
            matches!(event, watcher::Event::Apply(_)) && before != Some(decides)
        }
        watcher::Event::Delete(class) => {
            known.remove(&name(class));
            true
        }
        watcher::Event::Init => false,
        watcher::Event::InitDone => true,
    }
}

/// The first list of the classes takes milliseconds.
const CLASSES_PATIENCE: Duration = Duration::from_secs(10);

/// What kube's stores hold, as the core sees it.
pub(crate) struct Watched {
    pub(crate) objects: Store<Guarded>,
    pub(crate) classes: Store<GuardedClass>,
}

#[async_trait]
impl Views for Watched {
    fn leaving(&self, object: &Key) -> bool {
        let found = self.objects.get(&ObjectRef::new(&object.name).within(&object.namespace));
        found.is_none_or(|found| found.meta().deletion_timestamp.is_some())
    }

    async fn classes(&self) -> Option<Vec<Arc<GuardedClass>>> {
        let seen = tokio::time::timeout(CLASSES_PATIENCE, self.classes.wait_until_ready()).await;
        matches!(seen, Ok(Ok(()))).then(|| self.classes.state())
    }
}

/// A pass, as kube's controller makes it: of what the watch has, the name alone counts.
pub(crate) async fn pass(object: Arc<Guarded>, context: Arc<Context>) -> Result<Action, Infallible> {
    let key = Key { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
    Ok(match reconcile(&context, &key).await {
        Again::OnChange => Action::await_change(),
        Again::After(pause) => Action::requeue(pause),
    })
}

/// The controller with all its triggers. `aliases` is the namespace of the alias Services.
pub(crate) fn controller(
    client: &Client,
    scope: &Scope,
    aliases: Option<&str>,
    classes: impl Stream<Item = ()> + Send + 'static,
    cloud: mpsc::Receiver<Change>,
    called: mpsc::UnboundedReceiver<Key>,
    cluster: String,
) -> Controller<Guarded> {
    let controller = Controller::new(scope.api::<Guarded>(client), watcher::Config::default());
    let objects = controller.store();
    let known = objects.clone();
    let aliases_namespace = aliases.map(str::to_owned);
    let beside = aliases_namespace.clone();
    let ours = || watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
    // Only metadata is watched: the contents of Secrets are read when they are needed and not kept.
    let controller = controller
        .watches(scope.api::<PartialObjectMeta<Secret>>(client), ours(), |secret| owner(&secret, None))
        .watches(scope.api::<PartialObjectMeta<Service>>(client), ours(), move |service| {
            owner(&service, beside.as_deref())
        })
        .watches(Api::<PartialObjectMeta<Namespace>>::all(client.clone()), scope.namespaces(), move |namespace| {
            in_namespace(&objects, &namespace.name_any())
        });
    let controller = match scope.beside(aliases) {
        Some(aliases) => {
            let aliases = Api::<PartialObjectMeta<Service>>::namespaced(client.clone(), aliases);
            let namespace = aliases_namespace.clone();
            controller.watches(aliases, ours(), move |service| owner(&service, namespace.as_deref()))
        }
        None => controller,
    };
    let called =
        futures::stream::unfold(called, |mut called| async move { called.recv().await.map(|key| (key, called)) });
    let called = called.map(|key| named(&key));
    controller.reconcile_all_on(classes).reconcile_on(changes(cloud, known, cluster)).reconcile_on(called)
}

/// The object that owns another one, as the controller names it.
fn owner<K>(object: &PartialObjectMeta<K>, aliases: Option<&str>) -> Option<ObjectRef<Guarded>>
where
    K: Resource<DynamicType = ()>,
{
    triggers::owner(&object.metadata, aliases).map(|owner| named(&owner))
}

fn named(object: &Key) -> ObjectRef<Guarded> {
    ObjectRef::new(&object.name).within(&object.namespace)
}

fn in_namespace(objects: &Store<Guarded>, namespace: &str) -> Vec<ObjectRef<Guarded>> {
    let objects = objects.state();
    objects
        .iter()
        .filter(|object| object.namespace().as_deref() == Some(namespace))
        .map(|object| ObjectRef::from_obj(&**object))
        .collect()
}

/// Instances that changed, as the objects that they concern.
fn changes(
    cloud: mpsc::Receiver<Change>,
    known: Store<Guarded>,
    cluster: String,
) -> impl Stream<Item = ObjectRef<Guarded>> + Send + 'static {
    let stream =
        futures::stream::unfold(cloud, |mut cloud| async move { cloud.recv().await.map(|change| (change, cloud)) });
    stream.flat_map(move |Change(instance)| {
        let concerned = concerned(&instance, &known.state(), &cluster);
        futures::stream::iter(concerned)
    })
}

/// The objects that an instance concerns.
fn concerned(instance: &Instance, known: &[Arc<Guarded>], cluster: &str) -> Vec<ObjectRef<Guarded>> {
    let concerns = |object: &&Arc<Guarded>| {
        let key = Key { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
        let status = object.0.as_ref().ok().and_then(|object| object.status.as_ref());
        triggers::concerns(instance, cluster, &key, status.and_then(|status| status.instance.as_ref()))
    };
    known.iter().filter(concerns).map(|object| ObjectRef::from_obj(&**object)).collect()
}

#[cfg(test)]
mod tests {
    use kube::runtime::watcher::Event;
    use serde_json::json;

    use super::*;

    fn class(generation: i64, default: bool, databases: i64) -> GuardedClass {
        let annotations = default.then(|| json!({"rdsdatabaseclass.matrixmind.cloud/is-default-class": "true"}));
        serde_json::from_value(json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass",
            "metadata": {"name": "gold", "uid": "1", "generation": generation, "annotations": annotations},
            "spec": {}, "status": {"databases": databases},
        }))
        .unwrap()
    }

    #[test]
    fn i13_a_new_database_in_a_class_wakes_none_of_the_others() {
        let mut known = HashMap::new();
        for (event, told) in [
            (Event::Init, false),
            (Event::InitApply(class(1, false, 7)), false),
            (Event::InitDone, true),
            (Event::Apply(class(1, false, 8)), false),
            (Event::Apply(class(2, false, 8)), true),
            (Event::Apply(class(2, true, 8)), true),
            (Event::Apply(class(2, true, 9)), false),
            (Event::Delete(class(2, true, 9)), true),
            (Event::Apply(class(2, true, 9)), true),
        ] {
            assert_eq!(tells(&mut known, &event), told, "{event:?}");
        }
    }
}
