//! The largest objects that are admitted, with the worst that can be said of them.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use serde_json::{Map, Value, json};
use shared::api::{RDSDatabase, RDSDatabaseStatus};
use shared::rules::{self, LISTED_LIMIT, RoleFlags, Subject};

use super::{SqlReport, SqlVisit, World, now, plan, settled_world};
use crate::engine::paper::servers;
use crate::providers::{Marks, Snapshot, SnapshotKind};
use crate::status;
use crate::subject;

const TODAY: Date = date(2026, 11, 23);
/// What is stored at most; etcd takes half as much again.
const STORED: usize = 1280 * 1024;
/// Apimachinery, `TotalAnnotationSizeLimitB`.
const ANNOTATIONS: usize = 256 * 1024;

fn name(kind: char, number: usize, length: usize) -> String {
    let digits = |number: usize| char::from_digit(u32::try_from(number % 36).unwrap_or_default(), 36).unwrap_or('x');
    let name: String = [kind, digits(number / 36), digits(number)].into_iter().collect();
    format!("{name}{}", "x".repeat(length - name.len()))
}

/// As many users and databases as there may be, with names of this length and every flag, and one list after the other filled.
fn crowded(length: usize, bytes: usize) -> Value {
    let flags: Vec<String> = RoleFlags::WORDS.iter().map(|flag| format!("no{flag}")).collect();
    let users: Vec<String> = (0..500).map(|number| name('u', number, length)).collect();
    let mut left = bytes / (length + 3);
    let databases: Map<_, _> = (0..500)
        .map(|number| {
            let members = left.min(500);
            left -= members;
            (name('d', number, length), json!(users[..members]))
        })
        .collect();
    let users: Map<_, _> = users.into_iter().map(|user| (user, json!(flags))).collect();
    json!({"users": users, "databases": databases})
}

fn admitted(spec: &Value) -> Result<(), String> {
    let subject = Subject::new("orders", spec);
    let verdict = rules::create(&subject, TODAY);
    verdict.errors.first().map_or(Ok(()), |error| Err(error.to_string()))
}

fn object(spec: &Value) -> RDSDatabase {
    let recorded = spec.to_string().chars().take(ANNOTATIONS - 100).collect::<String>();
    let object = json!({
        "apiVersion": "matrixmind.cloud/v1",
        "kind": "RDSDatabase",
        "metadata": {
            "name": "o".repeat(59), "namespace": "s".repeat(63), "uid": super::UID,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": recorded},
        },
        "spec": spec,
    });
    serde_json::from_value(object).expect("the fixture is an RDSDatabase")
}

/// Every user, database and login is in trouble, and much was there before.
fn in_trouble(object: &RDSDatabase) -> World {
    let target =
        subject::resolve(object, &[], false, &BTreeMap::new(), shared::rules::DefaultVersions::BUILT_IN, &servers())
            .expect("it is admitted");
    let trouble = || Some("\"<&>\"\n".repeat(1_000));
    let world = settled_world();
    let users = target.desired.users.keys().map(|user| (user.to_string(), trouble()));
    let databases = || target.desired.databases.keys().map(ToString::to_string);
    let report = SqlReport {
        users: users.collect(),
        databases: databases().map(|name| (name, trouble())).collect(),
        oids: databases().zip(u32::MAX - 1_000..).collect(),
        removed_databases: (0..500).filter_map(|number| Some((name('r', number, 63), trouble()?))).collect(),
        logins: (0..10_000).map(|number| (format!("{number:063}@{}", name('d', number, 63)), trouble())).collect(),
        unfinished: (0..100).filter_map(|_| trouble()).collect(),
        ..SqlReport::default()
    };
    let snapshot = |number| Snapshot {
        identifier: format!("{number:0255}"),
        kind: SnapshotKind::Manual,
        status: "available".into(),
        created: None,
        resource_id: None,
        marks: Marks::default(),
    };
    World {
        object: crate::plan::ObjectFacts { name: "o".repeat(59), ..world.object.clone() },
        visit: Some(SqlVisit { inputs: "inputs".into(), at: now(), result: Ok(report) }),
        snapshots: super::Seen::Known((0..1_000).map(snapshot).collect()),
        ..world
    }
}

fn worst(object: &RDSDatabase) -> RDSDatabaseStatus {
    let target =
        subject::resolve(object, &[], false, &BTreeMap::new(), shared::rules::DefaultVersions::BUILT_IN, &servers())
            .expect("it is admitted");
    let (world, before) = (in_trouble(object), RDSDatabaseStatus::default());
    let plan = plan(&target, &world, now());
    let mut status =
        status::of(&before, Some(1), &subject::Subject::Living(target), &world, &plan, jiff::Timestamp::UNIX_EPOCH);
    assert!(status.conditions.iter().any(|condition| condition.message.len() > 1_000), "nothing long was said");
    let longest = "x".repeat(4096);
    status.conditions.iter_mut().for_each(|condition| condition.message.clone_from(&longest));
    status
}

fn size(object: &RDSDatabase) -> usize {
    // In managedFields are the conditions one by one, and every other field by its name.
    const MANAGED: usize = 16 * 1024;
    // Go escapes more than serde does.
    let json = serde_json::to_string(object).expect("it was read from JSON");
    json.len() + json.matches(['<', '>', '&']).count() * 5 + MANAGED
}

#[test]
fn i13_the_largest_that_is_admitted_is_stored_with_its_worst_status() {
    for length in [63, 20, 3] {
        let spec = crowded(length, LISTED_LIMIT);
        assert_eq!(admitted(&spec), Ok(()));
        let mut object = object(&spec);
        let status = worst(&object);
        assert!(status::fits(&object, &status), "{length}");
        object.status = Some(status);
        let size = size(&object);
        assert!(size < STORED, "{size} bytes with names of {length}");

        let more = crowded(length, LISTED_LIMIT + length + 3);
        let refused = admitted(&more).expect_err("one more is too many");
        let count = LISTED_LIMIT / (length + 3) + 1;
        assert!(
            refused.contains(&format!("lists {count} users")) && refused.contains("at most 196608 fit"),
            "{refused}"
        );
    }
}

#[test]
fn i13_what_is_told_of_failures_has_an_end_and_the_rest_is_counted() {
    let object = object(&crowded(20, LISTED_LIMIT));
    let status = worst(&object);
    let told = status.users.values().filter(|user| user.message.is_some()).count();
    assert_eq!((status.users.len(), told), (500, 50));
    assert!(status.users.values().all(|user| !user.ready));
    assert_eq!(status.databases.values().filter(|database| database.oid.is_some()).count(), 500);
    assert_eq!(status.databases.values().filter(|database| database.removed).count(), 500);
    let logins = status.logins.expect("logins were tried");
    assert_eq!((logins.verified, logins.failed, logins.failures.len()), (0, 10_000, 50));
    assert_eq!(status.snapshots.len(), 100);
}
