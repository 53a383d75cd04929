//! What makes an object be looked at: itself, its Secrets and Services, its namespace, the classes, and the cloud.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Namespace, Secret, Service};
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, Resource, ResourceExt};
use shared::api::RDSDatabaseStatus;
use shared::api::labels::{MANAGED_BY, MANAGED_BY_LABEL};
use tokio::sync::mpsc;

use crate::again::Again;
use crate::cluster::Echoes;
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

    fn objects(&self) -> usize {
        self.objects.len()
    }

    async fn classes(&self) -> Option<Vec<Arc<GuardedClass>>> {
        let seen = tokio::time::timeout(CLASSES_PATIENCE, self.classes.wait_until_ready()).await;
        matches!(seen, Ok(Ok(()))).then(|| self.classes.state())
    }
}

/// Keeps of an object what is counted and what leads to it. A pass reads all of it anew, and there may be thousands.
fn lighten(object: &mut Guarded) {
    object.managed_fields_mut().clear();
    object.annotations_mut().clear();
    let Ok(object) = &mut object.0 else { return };
    if let Some(fields) = &mut object.spec.0 {
        (fields.users, fields.databases) = (None, None);
    }
    if let Some(RDSDatabaseStatus { users, databases, logins, access, snapshots, plan, conditions, .. }) =
        &mut object.status
    {
        (*users, *databases, *access) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        (*logins, *snapshots, *plan) = (None, Vec::new(), Vec::new());
        conditions.shrink_to_fit();
        for condition in conditions {
            condition.message = String::new();
        }
    }
}

/// After a start each object has its first pass before any has its second: their Secrets and Services all call for one at the same time. Who has had
/// none by then is waited for no longer.
const FIRST_PASSES: Duration = Duration::from_secs(15);
const AFTER_FIRST_PASSES: Duration = Duration::from_secs(2);

fn comes_later(context: &Context, object: &Key) -> bool {
    let (passed, so_many) = context.memory.passed(object);
    let since = context.acting_since.get().map(|began| context.now().since(*began));
    passed && so_many < context.views.objects() && since.is_some_and(|since| since < FIRST_PASSES)
}

/// A pass, as kube's controller makes it: of what the watch has, the name alone counts.
pub(crate) async fn pass(object: Arc<Guarded>, context: Arc<Context>) -> Result<Action, Infallible> {
    let key = Key { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
    if comes_later(&context, &key) {
        return Ok(Action::requeue(AFTER_FIRST_PASSES));
    }
    Ok(match reconcile(&context, &key).await {
        Again::OnChange => Action::await_change(),
        Again::After(pause) => Action::requeue(pause),
    })
}

/// What calls for passes beside what is watched in Kubernetes.
pub(crate) struct Besides<C> {
    /// A class has changed.
    pub(crate) classes: C,
    /// An instance has changed.
    pub(crate) cloud: mpsc::Receiver<Change>,
    /// Whose turn has come.
    pub(crate) called: mpsc::UnboundedReceiver<Key>,
}

/// The controller with all its triggers. `aliases` is the namespace of the alias Services; what is an echo of its own writes triggers nothing.
pub(crate) fn controller<C: Stream<Item = ()> + Send + 'static>(
    client: &Client,
    scope: &Scope,
    aliases: Option<&str>,
    Besides { classes, cloud, called }: Besides<C>,
    echoes: &Echoes,
    cluster: String,
) -> Controller<Guarded> {
    let (objects, writer) = reflector::store();
    let watched = watcher(scope.api::<Guarded>(client), watcher::Config::default()).modify(lighten);
    let own = echoes.clone();
    let news = watched.reflect(writer).applied_objects();
    let news = news.try_filter(move |object| std::future::ready(!own.hear(object.meta())));
    let controller = Controller::for_stream(news, objects.clone());
    let known = objects.clone();
    let aliases_namespace = aliases.map(str::to_owned);
    let ours = || watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
    // Only metadata is watched: the contents of Secrets are read when they are needed and not kept.
    let controller = controller
        .watches(scope.api::<PartialObjectMeta<Secret>>(client), ours(), owner(None, echoes))
        .watches(scope.api::<PartialObjectMeta<Service>>(client), ours(), owner(aliases_namespace.clone(), echoes))
        .watches(Api::<PartialObjectMeta<Namespace>>::all(client.clone()), scope.namespaces(), move |namespace| {
            in_namespace(&objects, &namespace.name_any())
        });
    let controller = match scope.beside(aliases) {
        Some(aliases) => {
            let aliases = Api::<PartialObjectMeta<Service>>::namespaced(client.clone(), aliases);
            controller.watches(aliases, ours(), owner(aliases_namespace, echoes))
        }
        None => controller,
    };
    let called =
        futures::stream::unfold(called, |mut called| async move { called.recv().await.map(|key| (key, called)) });
    let called = called.map(|key| named(&key));
    controller.reconcile_all_on(classes).reconcile_on(changes(cloud, known, cluster)).reconcile_on(called)
}

/// The object that owns another one, as the controller names it, where the watch tells news of it.
fn owner<K>(
    aliases: Option<String>,
    echoes: &Echoes,
) -> impl Fn(PartialObjectMeta<K>) -> Option<ObjectRef<Guarded>> + Send + Sync + 'static
where
    K: Resource<DynamicType = ()>,
{
    let echoes = echoes.clone();
    move |object| {
        let owner = triggers::owner(&object.metadata, aliases.as_deref())?;
        (!echoes.hear(&object.metadata)).then(|| named(&owner))
    }
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
        let status = object.0.as_ref().ok().and_then(|object| object.status.as_ref());
        let meta = object.meta();
        let (namespace, name) =
            (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        triggers::concerns(instance, cluster, namespace, name, status.and_then(|status| status.instance.as_ref()))
    };
    known.iter().filter(concerns).map(|object| ObjectRef::from_obj(&**object)).collect()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
    use kube::runtime::watcher::Event;
    use serde_json::json;

    use super::*;
    use crate::cluster::Version;

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
    fn a_secret_that_this_process_wrote_calls_nobody_until_somebody_touches_it() {
        let echoes = Echoes::default();
        let owner = owner::<Secret>(None, &echoes);
        let told = |version: &str| PartialObjectMeta::<Secret> {
            metadata: ObjectMeta {
                namespace: Some("shop".into()),
                uid: Some("1".into()),
                resource_version: Some(version.into()),
                annotations: Some(crate::binding::annotations("shop", "orders")),
                ..ObjectMeta::default()
            },
            ..PartialObjectMeta::default()
        };
        let orders = Some(ObjectRef::new("orders").within("shop"));
        assert_eq!(owner(told("7")), orders);
        echoes.wrote(Version::of(&told("7").metadata));
        assert_eq!(owner(told("7")), None);
        assert_eq!(owner(told("8")), orders);
    }

    #[test]
    fn i13_of_many_objects_little_is_kept() {
        let users: BTreeMap<String, Vec<String>> = (0..500).map(|n| (format!("user_{n}"), Vec::new())).collect();
        let condition = json!({
            "type": "Ready", "status": "False", "reason": "AccessFailed", "message": "long ".repeat(1000),
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let mut object: Guarded = serde_json::from_value(json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase",
            "metadata": {
                "name": "orders", "namespace": "shop", "uid": "1", "annotations": {"a": "b"},
                "managedFields": [{"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": {"users": users, "databases": {"orders": ["user_0"]}, "className": "gold"},
            "status": {
                "conditions": [condition], "instance": {"identifier": "orders-shop-1", "className": "gold", "created": true},
                "users": {"user_0": {"secret": "orders.rds.user-0", "ready": true}},
            },
        }))
        .unwrap();
        lighten(&mut object);
        let kept = object.0.as_ref().unwrap();
        let instance = kept.status.as_ref().unwrap().instance.as_ref().unwrap();
        assert_eq!((instance.identifier.as_str(), instance.class_name.as_deref()), ("orders-shop-1", Some("gold")));
        assert_eq!(kept.spec.0.as_ref().unwrap().class_name.as_deref(), Some("gold"));
        assert_eq!(kept.status.as_ref().unwrap().conditions[0].reason, "AccessFailed");
        assert!(serde_json::to_string(kept).unwrap().len() < 600);
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
