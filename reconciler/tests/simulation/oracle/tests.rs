//! Each invariant is broken once: an oracle that finds nothing proves nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Secret, Service};
use reconciler::providers::Applied;
use reconciler::providers::{
    Changes, Course, FinalSnapshot, Instance, Marks, Owner, Phase, Settings, Snapshot, SnapshotKind, State,
};
use serde_json::{Value, json};

use super::{
    Violation, bounds, calls, copies, data, databases, foretold, instances, leaving, losses, others, ownership,
    passwords, pins, removals, specs, takings, tenants,
};
use crate::cloud::history::{By, CloudEvent, Record};
use crate::cluster::{self, ClusterEvent, key, put};
use crate::history::{Event, Happened};
use crate::server;
use crate::server::postgres::Event as Inside;
use crate::world::CLUSTER;

mod known;

fn history(events: impl IntoIterator<Item = Event>) -> Vec<Happened> {
    let happened = |(second, what)| Happened { at: Duration::from_secs(second), what };
    (0..).zip(events).map(happened).collect()
}

fn broken(judged: Result<(), Violation>) -> &'static str {
    judged.expect_err("it would be found").invariant
}

fn instance(resource: &str) -> Instance {
    let (course, takes) = (Course::Settled, Changes::All);
    let phase = Phase { course, serves: true, takes, final_snapshot: FinalSnapshot::Possible };
    let owner = Owner { cluster: CLUSTER.into(), namespace: "shop".into(), name: "orders".into(), uid: "uid".into() };
    Instance {
        identifier: resource.into(),
        resource_id: Some(resource.into()),
        resource_name: None,
        status: State::new("available", phase),
        endpoint: None,
        running: Settings::default(),
        pending: Settings::default(),
        parameters: Applied::Whole,
        pending_else: Vec::new(),
        replicas: Vec::new(),
        master_user: None,
        restorable: None,
        authority: None,
        marks: Marks::from(&owner),
        tags: [].into(),
    }
}

/// The object, as its status knows the instance.
fn object(deleted: bool) -> Value {
    let mut object = json!({"metadata": {"uid": "uid"}, "spec": {}, "status": {"instance": {"resourceId": "db-1"}}});
    if deleted {
        object["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
    }
    object
}

fn cloud(by: By, event: CloudEvent, object: Option<Value>) -> Event {
    let record = Record { at: Timestamp::UNIX_EPOCH, by, sent: None, event };
    Event::Cloud { record: Arc::new(record), object: object.map(Arc::new) }
}

fn created(resource: &str) -> Event {
    cloud(By::Operator, CloudEvent::Created { instance: Box::new(instance(resource)) }, Some(object(false)))
}

fn gone(resource: &str) -> Event {
    cloud(By::Person, CloudEvent::InstanceGone { before: Box::new(instance(resource)) }, None)
}

fn asked(final_snapshot: Option<&str>, object: Value) -> Event {
    let before = Box::new(instance("db-1"));
    let event = CloudEvent::DeletionAsked { before, final_snapshot: final_snapshot.map(str::to_owned) };
    cloud(By::Operator, event, Some(object))
}

#[test]
fn i1_and_i2_a_second_instance_is_found() {
    assert_eq!(instances::single(&history([created("db-1")])), Ok(()));
    assert_eq!(broken(instances::single(&history([created("db-1"), created("db-2")]))), "I1");
    assert_eq!(broken(instances::single(&history([created("db-1"), gone("db-1"), created("db-2")]))), "I2");
    let mut foreign = instance("db-1");
    foreign.marks.cluster = Some("another".into());
    let event = CloudEvent::DeletionAsked { before: Box::new(foreign), final_snapshot: None };
    assert_eq!(broken(instances::single(&history([cloud(By::Operator, event, None)]))), "I1");
}

#[test]
fn i3_data_that_go_without_a_snapshot_are_found() {
    assert_eq!(data::kept(&history([asked(Some("final"), object(true))])), Ok(()));
    assert_eq!(broken(data::kept(&history([asked(None, object(true))]))), "I3");
    assert_eq!(broken(data::kept(&history([asked(Some("final"), object(false))]))), "I3", "the object is wanted");
    let let_go = || Event::Cluster(ClusterEvent::Finalizer { object: Arc::new(object(true)), held: false });
    assert_eq!(broken(data::kept(&history([created("db-1"), gone("db-1"), let_go()]))), "I3");
    assert_eq!(broken(data::kept(&history([created("db-1"), let_go()]))), "I3", "the instance is left behind");
}

#[test]
fn i7_a_call_that_no_plan_had_and_one_under_a_pause_are_found() {
    let planned = |step: &str, when: &str| {
        let plan = json!([{"step": step, "impact": ["none"], "when": when}]);
        let status = Arc::new(json!({"plan": plan}));
        Event::Cluster(ClusterEvent::Status { object: Arc::new(object(false)), status })
    };
    let called = |about: &str| {
        let event = CloudEvent::Called { action: "RebootDBInstance", about: about.into(), mutates: true, code: None };
        cloud(By::Operator, event, None)
    };
    for (step, when) in [
        ("restart it", "now"),
        ("restart it", "in the maintenance window sun:04:00-sun:05:00 UTC"),
        ("restart it, and 2 more like it", "now"),
        ("rest…", "now"),
    ] {
        assert_eq!(foretold::told(&history([planned(step, when), called("restart it")])), Ok(()), "{step} {when}");
        // Another process has written another plan.
        let other = planned("nothing", "now");
        assert_eq!(foretold::told(&history([planned(step, when), other, called("restart it")])), Ok(()));
    }
    assert_eq!(broken(foretold::told(&history([planned("change it", "now"), called("restart it")]))), "I7");
    let held = planned("restart it", "once spec.paused is false");
    assert_eq!(broken(foretold::told(&history([held, called("restart it")]))), "I7");
}

#[test]
fn i2_an_empty_database_in_place_of_a_dropped_one_is_found() {
    let inside = |event| Event::Server(Arc::new(server::Record { at: Duration::ZERO, resource: "db-1".into(), event }));
    let (name, by) = (|| "main".to_owned(), || "sysadmin".to_owned());
    let status = json!({"instance": {"resourceId": "db-1"}, "databases": {"main": {"oid": 7}}});
    let events = [
        inside(Inside::DatabaseCreated { name: name(), oid: 7, by: by() }),
        Event::Cluster(ClusterEvent::Status { object: Arc::default(), status: Arc::new(status) }),
        inside(Inside::DatabaseDropped { name: name(), oid: 7, by: by() }),
        inside(Inside::DatabaseCreated { name: name(), oid: 8, by: by() }),
    ];
    assert_eq!(databases::irreplaceable(&history(events[..3].to_vec())), Ok(()));
    assert_eq!(broken(databases::irreplaceable(&history(events.clone()))), "I2");
    // Another process may not have read in the same moment what one has written.
    let two = |apart| {
        let mut happened = history([Event::Begun, Event::Begun].into_iter().chain(events.clone()));
        happened[5].at = happened[3].at + apart;
        happened
    };
    assert_eq!(databases::irreplaceable(&two(Duration::from_millis(500))), Ok(()));
    assert_eq!(broken(databases::irreplaceable(&two(Duration::from_secs(1)))), "I2");
}

#[test]
fn i4_a_password_that_is_replaced_or_told_is_found() {
    let secret = |password| Some(Arc::new(put(Secret::default(), "password", password)));
    let change = |before, after| {
        let of = key("shop", "orders.rds.app");
        history([Event::Cluster(ClusterEvent::Secret { of, before: secret(before), after: secret(after) })])
    };
    assert_eq!(passwords::kept(&change(None, Some("first-password"))), Ok(()));
    let replaced = change(Some("first-password"), Some("second-password"));
    assert_eq!(broken(passwords::kept(&replaced)), "I4");
    assert_eq!(passwords::secret(&replaced, &["nothing".into()]), Ok(()));
    assert_eq!(broken(passwords::secret(&replaced, &["it is second-password".into()])), "I4");
}

#[test]
fn i9_i10_and_i13_what_goes_on_and_on_and_what_is_not_ours_is_found() {
    let refused = || {
        let code = Some("InvalidParameterValue".to_owned());
        let event = CloudEvent::Called { action: "CreateDBInstance", about: "orders".into(), mutates: true, code };
        cloud(By::Operator, event, None)
    };
    assert_eq!(calls::backed_off(&history((0..10).map(|_| refused()))), Ok(()));
    assert_eq!(broken(calls::backed_off(&history((0..60).map(|_| refused())))), "I9");
    let accepted = || {
        let event =
            CloudEvent::Called { action: "ModifyDBInstance", about: "orders".into(), mutates: true, code: None };
        cloud(By::Operator, event, None)
    };
    assert_eq!(calls::backed_off(&history([accepted(), Event::Begun, accepted()])), Ok(()));
    assert_eq!(broken(calls::backed_off(&history((0..13).map(|_| accepted())))), "I9");

    let service = Some(Arc::new(Service::default()));
    let event = ClusterEvent::Service { of: key("rds", "orders"), before: service, after: None };
    assert_eq!(broken(ownership::respected(&history([Event::Cluster(event)]))), "I10");
    let let_go = ClusterEvent::Finalizer { object: Arc::new(object(false)), held: false };
    assert_eq!(broken(ownership::held(&history([Event::Cluster(let_go)]))), "I10");

    let told = || Event::Cluster(ClusterEvent::Told { uid: "uid".into(), note: "again".into() });
    assert_eq!(bounds::told(&history((0..5).map(|_| told()))), Ok(()));
    assert_eq!(broken(bounds::told(&history((0..60).map(|_| told())))), "I13");
}

#[test]
fn i2_i3_and_i11_what_is_forgotten_or_let_go_too_early_is_found() {
    let known = || Arc::new(object(false));
    let told = |status| Event::Cluster(ClusterEvent::Status { object: known(), status: Arc::new(status) });
    assert_eq!(pins::kept(&history([told(json!({"instance": {"resourceId": "db-1"}}))])), Ok(()));
    assert_eq!(broken(pins::kept(&history([told(json!({}))]))), "I2");

    let let_go = || Event::Cluster(ClusterEvent::Finalizer { object: Arc::new(object(true)), held: false });
    assert_eq!(leaving::seen_off(&history([created("db-1"), gone("db-1"), let_go()])), Ok(()));
    assert_eq!(broken(leaving::seen_off(&history([created("db-1"), let_go()]))), "I11");

    let snapshot = |identifier: &str, made: &str| {
        let (identifier, resource_id, status) = (identifier.into(), Some("db-1".into()), "available".into());
        let created = made.parse().ok();
        let marks = Marks { kept: true, cluster: Some(CLUSTER.into()), ..Marks::default() };
        Snapshot { identifier, kind: SnapshotKind::Manual, status, created, resource_id, marks }
    };
    let made = |snapshot| cloud(By::Rds, CloudEvent::SnapshotAvailable { snapshot }, None);
    let went = |snapshot| history([created("db-1"), made(snapshot), gone("db-1"), let_go()]);
    assert_eq!(broken(data::kept(&went(snapshot("old", "2027-01-15T07:00:00Z")))), "I3");
    assert_eq!(data::kept(&went(snapshot("new", "2027-01-15T09:00:00Z"))), Ok(()));

    let old = || snapshot("db-kept-1", "2027-01-12T09:00:00Z");
    let pruned = |before: Snapshot| cloud(By::Operator, CloudEvent::SnapshotGone { before }, None);
    let newer = || made(snapshot("db-kept-2", "2027-01-15T09:00:00Z"));
    assert_eq!(copies::followed(&history([made(old()), newer(), pruned(old())])), Ok(()));
    assert_eq!(broken(copies::followed(&history([made(old()), pruned(old())]))), "I3");
    let of_a_person = Snapshot { marks: Marks::default(), ..old() };
    assert_eq!(broken(copies::followed(&history([made(old()), newer(), pruned(of_a_person)]))), "I3");
    let before_an_upgrade = snapshot("db-before-17-1", "2027-01-12T09:00:00Z");
    assert_eq!(broken(copies::followed(&history([newer(), pruned(before_an_upgrade)]))), "I3");
}

#[test]
fn i9_what_is_asked_for_again_before_it_can_be_seen_is_found() {
    let asked = |about: &str| {
        let event = CloudEvent::Called { action: "ModifyDBInstance", about: about.into(), mutates: true, code: None };
        cloud(By::Operator, event, None)
    };
    assert_eq!(broken(calls::asked_once(&history([asked("grow"), asked("grow")]))), "I9");
    assert_eq!(calls::asked_once(&history([asked("grow"), asked("shrink"), asked("grow")])), Ok(()), "another wish");
    assert_eq!(calls::asked_once(&history([asked("grow"), Event::Begun, asked("grow")])), Ok(()), "another process");
    let meddled = || cloud(By::Person, CloudEvent::InstanceGone { before: Box::new(instance("db-1")) }, None);
    assert_eq!(calls::asked_once(&history([asked("grow"), meddled(), asked("grow")])), Ok(()), "somebody came between");
    let mut late = history([asked("grow"), asked("grow")]);
    late[1].at = Duration::from_secs(60);
    assert_eq!(calls::asked_once(&late), Ok(()), "it would have been seen");
}

fn inside(event: Inside) -> Event {
    Event::Server(Arc::new(server::Record { at: Duration::ZERO, resource: "db-1".into(), event }))
}

/// The status of an object that knew nothing before.
fn began_to_say(mut object: Value, status: Value) -> Event {
    object["status"] = json!({});
    Event::Cluster(ClusterEvent::Status { object: Arc::new(object), status: Arc::new(status) })
}

#[test]
fn i1_what_is_taken_from_another_or_made_for_nobody_is_found() {
    let mut owner = object(false);
    owner["metadata"] = json!({"name": "orders", "namespace": "shop", "uid": "uid"});
    let held = || Event::Cluster(ClusterEvent::Finalizer { object: Arc::new(object(false)), held: true });
    let knows = |uid: &str| {
        let mut owner = owner.clone();
        owner["metadata"]["uid"] = json!(uid);
        began_to_say(owner, json!({"instance": {"resourceId": "db-1"}}))
    };
    let late = |second: Event| {
        let mut events = history([held(), created("db-1"), second]);
        events[2].at = Duration::from_secs(600);
        events
    };
    assert_eq!(takings::own(&late(knows("uid"))), Ok(()));
    assert_eq!(broken(takings::own(&late(knows("another")))), "I1");
    assert_eq!(broken(takings::own(&history([created("db-1")]))), "I1", "nothing held the object");
}

#[test]
fn i2_a_loss_that_is_none_is_found() {
    let lost = json!({"instance": {"resourceId": "db-1"}, "conditions": [{"reason": "InstanceLost"}]});
    let told = || Happened { at: Duration::from_secs(600), what: began_to_say(object(false), lost.clone()) };
    let after = |events: Vec<Event>| history(events).into_iter().chain([told()]).collect::<Vec<_>>();
    assert_eq!(losses::real(&after(vec![created("db-1"), gone("db-1")])), Ok(()));
    assert_eq!(broken(losses::real(&after(vec![created("db-1")]))), "I2");
}

#[test]
fn i4_a_secret_that_goes_before_its_user_or_comes_after_its_password_is_found() {
    let mut secret = put(Secret::default(), "username", Some("app"));
    secret.metadata.labels = Some([(shared::api::labels::DATABASE_LABEL.to_owned(), "orders".to_owned())].into());
    let of = key("shop", "orders.rds.app");
    let goes = Event::Cluster(ClusterEvent::Secret { of, before: Some(Arc::new(secret)), after: None });
    let mut known = object(false);
    known["metadata"] = json!({"name": "orders", "namespace": "shop"});
    let status = began_to_say(known, json!({"instance": {"resourceId": "db-1"}}));
    let made = inside(Inside::RoleCreated { role: "app".into(), by: "sysadmin".into() });
    let dropped = inside(Inside::RoleDropped { role: "app".into(), by: "sysadmin".into() });
    let in_order = [status.clone(), made.clone(), dropped, goes.clone()];
    assert_eq!(removals::after_their_users(&history(in_order)), Ok(()));
    assert_eq!(broken(removals::after_their_users(&history([status, made, goes]))), "I4");

    let began = || {
        let (resource_id, master_user) = ("db-1".into(), "sysadmin".into());
        let password = Some("first-password".to_owned().into());
        cloud(By::Rds, CloudEvent::ServerBegan { resource_id, master_user, password, from_snapshot: None }, None)
    };
    let after = Some(Arc::new(put(Secret::default(), "password", Some("first-password"))));
    let of = key("shop", "orders.rds.master");
    let minted = Event::Cluster(ClusterEvent::Secret { of, before: None, after });
    assert_eq!(passwords::first_in_secrets(&history([minted, began()])), Ok(()));
    assert_eq!(broken(passwords::first_in_secrets(&history([began()]))), "I4");
}

#[test]
fn i6_a_spec_that_is_written_is_found() {
    let declared = || Event::Declared { object: Arc::new(object(false)) };
    let held = |object: Value| Event::Cluster(ClusterEvent::Finalizer { object: Arc::new(object), held: true });
    assert_eq!(specs::untouched(&history([declared(), held(object(false))])), Ok(()));
    let mut written = object(false);
    written["spec"]["size"] = json!("10GB");
    assert_eq!(broken(specs::untouched(&history([declared(), held(written)]))), "I6");
}

#[test]
fn i8_an_object_that_a_bad_one_stops_is_found() {
    let stored = |name: &str, spec: Value, seen: i64| {
        let conditions = json!([{
            "type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2027-01-15T08:00:00Z",
        }]);
        json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "spec": spec,
            "metadata": {"name": name, "namespace": "shop", "generation": 2},
            "status": {"observedGeneration": seen, "conditions": conditions},
        })
    };
    let state = |bad: Value, seen: i64| {
        let objects = [("bad", stored("bad", bad, 1)), ("good", stored("good", json!({}), seen))];
        let databases = objects.into_iter().map(|(name, object)| (key("shop", name), Arc::new(object)));
        let mut state = cluster::State::default();
        state.databases.extend(databases);
        state
    };
    let unreadable = || json!({"users": "app"});
    assert_eq!(others::stopped(&state(unreadable(), 2)), None);
    assert!(others::stopped(&state(unreadable(), 1)).is_some_and(|what| what.starts_with("shop/good")));
    assert_eq!(others::stopped(&state(json!({}), 1)), None, "nobody is to blame");
}

#[test]
fn i12_what_is_carried_to_a_role_with_rights_or_believed_is_found() {
    let (master, app) = (|| "sysadmin".to_owned(), || "app".to_owned());
    let begun = || {
        let ours = inside(Inside::RoleCreated { role: app(), by: master() });
        let database = inside(Inside::DatabaseCreated { name: "main".into(), oid: 7, by: master() });
        [ours, database, inside(Inside::RoleCreated { role: "mine".into(), by: app() })]
    };
    let then = |event| history(begun().into_iter().chain([inside(event)]));
    let given = |to: &str| Inside::ObjectsGiven { database: "main".into(), from: app(), to: to.into(), objects: 1 };
    assert_eq!(tenants::kept_apart(&then(given("main-owner"))), Ok(()));
    assert_eq!(broken(tenants::kept_apart(&then(given("sysadmin")))), "I12");
    let dropped = |role: &str| Inside::RoleDropped { role: role.into(), by: master() };
    assert_eq!(tenants::kept_apart(&then(dropped("app"))), Ok(()));
    assert_eq!(broken(tenants::kept_apart(&then(dropped("mine")))), "I12");
}
