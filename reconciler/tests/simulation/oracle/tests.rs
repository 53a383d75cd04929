//! Each invariant is broken once: an oracle that finds nothing proves nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Secret, Service};
use reconciler::providers::{
    Changes, Course, FinalSnapshot, Instance, Marks, Owner, Phase, Settings, Snapshot, SnapshotKind, State,
};
use serde_json::{Value, json};

use super::{Violation, bounds, calls, data, databases, instances, leaving, ownership, passwords, pins};
use crate::cloud::history::{By, CloudEvent, Record};
use crate::cluster::{ClusterEvent, key, put};
use crate::history::{Event, Happened};
use crate::server;
use crate::server::postgres::Event as Inside;
use crate::world::CLUSTER;

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
        backup_window: None,
        master_user: None,
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
    let record = Record { at: Timestamp::UNIX_EPOCH, by, event };
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
    assert_eq!(broken(databases::irreplaceable(&history(events))), "I2");
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
        let snapshot = Snapshot { identifier, kind: SnapshotKind::Manual, status, created, resource_id };
        cloud(By::Rds, CloudEvent::SnapshotAvailable { snapshot }, None)
    };
    let went = |snapshot| history([created("db-1"), snapshot, gone("db-1"), let_go()]);
    assert_eq!(broken(data::kept(&went(snapshot("old", "2027-01-15T07:00:00Z")))), "I3");
    assert_eq!(data::kept(&went(snapshot("new", "2027-01-15T09:00:00Z"))), Ok(()));
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

#[test]
fn i4_a_secret_that_goes_before_its_user_is_found() {
    let inside = |event| Event::Server(Arc::new(server::Record { at: Duration::ZERO, resource: "db-1".into(), event }));
    let (role, by) = (|| "app".to_owned(), || "sysadmin".to_owned());
    let made = || inside(Inside::RoleCreated { role: role(), by: by() });
    let gone = || {
        let before = Some(Arc::new(put(Secret::default(), "username", Some("app"))));
        Event::Cluster(ClusterEvent::Secret { of: key("shop", "orders.rds.app"), before, after: None })
    };
    let dropped = inside(Inside::RoleDropped { role: role(), by: by() });
    assert_eq!(broken(passwords::outlive_users(&history([made(), gone()]))), "I4");
    assert_eq!(passwords::outlive_users(&history([made(), dropped, gone()])), Ok(()));
    assert_eq!(passwords::outlive_users(&history([made(), inside(Inside::Gone), gone()])), Ok(()));
}
