//! The objects that v0.1.0 left behind are read as they were written; `testbed/fixtures/v0.1.0` says what they are.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use axum::Router;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt;
use kube::core::DeserializeGuard;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::api::{DeletionPolicy, RDSDatabase, RDSDatabaseClass};
use shared::names::InstanceIdentifier;
use shared::rules::DefaultVersions;
use tokio::net::TcpListener;

use crate::engine::paper::servers;
use crate::engine::postgres::DIALECT;
use crate::observe::secret_fact;
use crate::plan::tests::{departure, empty_world, leave, now, plan};
use crate::plan::{
    AccountFacts, ClusterStep, Concern, ObjectFacts, Outcome, Reason, SecretFact, Seen, Step, World, bound,
    needs_renewal,
};
use crate::providers::aws::Aws;
use crate::providers::{Cloud, SnapshotKind};
use crate::subject::resolve;

const MOMENTS: [&str; 6] = ["creating", "at-rest", "deleting", "snapshot-available", "deleted", "again"];

fn text(moment: &str, file: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testbed/fixtures/v0.1.0/objects");
    fs::read_to_string(format!("{folder}/{moment}/{file}")).unwrap()
}

/// What `kubectl get -o yaml` gave in a moment.
fn objects_at(moment: &str, file: &str) -> Vec<Value> {
    let mut list: Value = serde_yaml_ng::from_str(&text(moment, file)).unwrap();
    serde_json::from_value(list["items"].take()).unwrap()
}

/// The same, of all moments.
fn objects(file: &str) -> Vec<Value> {
    MOMENTS.into_iter().flat_map(|moment| objects_at(moment, file)).collect()
}

fn read_and_written<T: DeserializeOwned + Serialize>(object: &Value) -> Value {
    let read: T = serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{error}: {object}"));
    serde_json::to_value(read).unwrap()
}

#[test]
fn no_word_of_a_database_is_lost() {
    let databases = objects("databases.yaml");
    for written in &databases {
        let again = read_and_written::<RDSDatabase>(written);
        for part in ["apiVersion", "kind", "metadata", "spec", "status"] {
            assert_eq!(again[part], written[part], "{part} of {}", written["metadata"]["name"]);
        }
    }
    let with = |pointer: &str| databases.iter().any(|database| database.pointer(pointer).is_some());
    for pointer in
        ["/metadata/deletionTimestamp", "/status/databases/drafts/removed", "/status/snapshots/0", "/status/backups"]
    {
        assert!(with(pointer), "no object has {pointer}");
    }
    assert!(databases.iter().any(|database| database["spec"].is_null()), "every object has a specification");
}

#[test]
fn no_word_of_the_others_is_lost() {
    for written in objects("classes.yaml") {
        assert_eq!(read_and_written::<RDSDatabaseClass>(&written), written);
    }
    for written in objects("secrets.yaml") {
        assert_eq!(read_and_written::<Secret>(&written), written);
    }
    for written in objects("services.yaml") {
        assert_eq!(read_and_written::<Service>(&written), written);
    }
}

/// RDS as it answered in a moment.
async fn rds(moment: &'static str) -> Aws {
    let answer = async move |body: String| {
        let instances = body.contains("Action=DescribeDBInstances");
        text(moment, if instances { "DescribeDBInstances.xml" } else { "DescribeDBSnapshots.xml" })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    Aws::at(endpoint)
}

/// The world of an object on its way out.
async fn world(moment: &'static str, name: &str) -> World {
    let objects = objects_at(moment, "databases.yaml");
    let found = objects.iter().find(|object| object["metadata"]["name"] == name).unwrap();
    let object: RDSDatabase = serde_json::from_value(found.clone()).unwrap();
    let (rds, pinned) = (rds(moment).await, object.status.clone().unwrap().instance.unwrap());
    let identifier: InstanceIdentifier = pinned.identifier.parse().unwrap();
    let instances = rds.inventory().await.unwrap();
    let snapshots = rds.snapshots_of(identifier.as_str()).await.unwrap();
    let of_it = snapshots.into_iter().filter(|snapshot| snapshot.kind == SnapshotKind::Manual);
    let instance = instances.into_iter().find(|instance| instance.identifier == pinned.identifier);
    let mut world = empty_world();
    world.object = ObjectFacts {
        namespace: object.namespace().unwrap(),
        name: object.name_any(),
        uid: object.uid().unwrap(),
        deleting: true,
        deleted_at: object.metadata.deletion_timestamp.as_ref().map(|time| time.0),
        finalizer: true,
        ..ObjectFacts::default()
    };
    world.cluster = instance.as_ref().map_or_else(String::new, |instance| instance.marks.cluster.clone().unwrap());
    world.account =
        Ok(AccountFacts { account: pinned.account.clone().unwrap(), region: pinned.region.clone().unwrap() });
    (world.identifier, world.pinned) = (identifier, Some(pinned));
    world.instance = instance.map_or(Seen::Absent, Seen::Known);
    world.snapshots = Seen::Known(of_it.collect());
    (world.service, world.alias) = (Seen::Absent, Some(Seen::Absent));
    world
}

#[tokio::test]
async fn i3_a_deletion_that_it_began_ends() {
    let name = "leaving";
    let under_way = leave(&departure(DeletionPolicy::Snapshot), &world("deleting", name).await);
    let waits = under_way.outcome(Concern::Deletion);
    assert!(matches!(waits, Some(Outcome::Wait { reason: Reason::DeletingInstance, .. })), "{waits:?}");

    let mut done = world("snapshot-available", name).await;
    done.instance = Seen::Absent;
    let released = leave(&departure(DeletionPolicy::Snapshot), &done);
    assert_eq!(released.steps, [Step::Cluster(ClusterStep::RemoveFinalizer)], "{:?}", released.outcomes);
}

/// What is observed of its Secrets, by namespace and object.
fn secrets_of(object: &ObjectFacts) -> BTreeMap<String, Seen<SecretFact>> {
    let all = objects_at("at-rest", "secrets.yaml").into_iter().map(|secret| serde_json::from_value(secret).unwrap());
    let beside = all.filter(|secret: &Secret| secret.namespace().as_deref() == Some(object.namespace.as_str()));
    let facts = beside.map(|secret| (secret.name_any(), secret_fact(DIALECT, secret, object, None)));
    let ours = facts.filter(|(_, fact)| matches!(fact, SecretFact::Ours { .. }));
    ours.map(|(name, fact)| (name, Seen::Known(fact))).collect()
}

#[tokio::test]
async fn its_secrets_lead_where_they_led() {
    let instances = rds("at-rest").await.inventory().await.unwrap();
    let class = serde_json::from_value(objects_at("at-rest", "classes.yaml").remove(0)).unwrap();
    let classes = [Arc::new(DeserializeGuard(Ok(class)))];
    let labels = BTreeMap::from([("databases".to_owned(), "allowed".to_owned())]);
    let mut led = BTreeMap::new();
    for found in objects_at("at-rest", "databases.yaml") {
        let object: RDSDatabase = serde_json::from_value(found).unwrap();
        let Ok(target) = resolve(&object, &classes, false, &labels, DefaultVersions::BUILT_IN, &servers()) else {
            continue;
        };
        let before = object.status.clone().unwrap();
        let Some(pinned) = before.instance.clone() else { continue };
        let instance = instances.iter().find(|instance| instance.identifier == pinned.identifier).unwrap();
        let mut world = empty_world();
        (world.object.namespace, world.object.name) = (object.namespace().unwrap(), object.name_any());
        world.object.uid = object.uid().unwrap();
        world.cluster = instance.marks.cluster.clone().unwrap();
        world.account =
            Ok(AccountFacts { account: pinned.account.clone().unwrap(), region: pinned.region.clone().unwrap() });
        (world.identifier, world.pinned) = (pinned.identifier.parse().unwrap(), Some(pinned));
        world.instance = Seen::Known(instance.clone());
        world.endpoint_suffixes = vec!["127.0.0.1".into()];
        world.secrets = secrets_of(&world.object);
        assert!(needs_renewal(&target, &world), "{}", world.object.name);
        world.renewal = Some(now());
        let plan = plan(&target, &world, now());
        for step in &plan.steps {
            let Step::Cluster(ClusterStep::UpdateSecret { secret, data, renewal: true }) = step else { continue };
            let Some(Seen::Known(SecretFact::Ours { data: told, .. })) = world.secrets.get(secret) else {
                unreachable!("{secret} was there")
            };
            for (key, value) in &told.0 {
                assert_eq!(data.0.get(key), Some(value), "{key} of {secret}");
            }
            assert!(data.text("jdbc-url").is_some_and(|url| url.contains("127.0.0.1")), "{secret}");
            led.insert(secret.clone(), data.text("database").unwrap().to_owned());
        }
        let name = &world.object.name;
        let bound_before = before.binding.as_ref().map(|binding| binding.name.as_str());
        assert_eq!(bound(target.dialect(), &target.desired, name, bound_before).as_deref(), bound_before);
    }
    assert_eq!(led.len(), objects_at("at-rest", "secrets.yaml").len(), "{led:?}");
    assert_eq!((led["ledger.rds.master"].as_str(), led["ledger.rds.chief"].as_str()), ("accounts", "archive"));
    assert_eq!(led["minimal.rds.master"], "postgres");
}
