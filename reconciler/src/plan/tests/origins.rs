//! Births that are none: a restore, and an instance that is taken over. Consent is on the cloud's side.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::api::RDSDatabaseClass;
use shared::rules::Engine;

use super::{
    CLUSTER, NAMESPACE, blocked, cloud_steps, empty_world, instance, pinned, planned, settled_world, target, waits,
};
use crate::plan::outcome::Concern;
use crate::plan::world::{Seen, World};
use crate::providers::{Backup, ErrorClass, Instance, MarkInstance, Marks, Origin, Request, Settings};
use crate::subject::{Fence, Target};

const FINAL: &str = "orders-final-1";

fn asks(spec: &Value) -> Target {
    let mut spec = spec.clone();
    spec["users"] = json!({"app": [], "report": []});
    spec["databases"] = json!({"orders": ["app"]});
    target(&spec)
}

fn restores(from: &Value) -> Target {
    asks(&json!({"restoreFrom": from}))
}

/// Secrets are there, an instance is not.
fn unborn() -> World {
    World { pinned: Some(pinned(None)), secrets: settled_world().secrets, ..empty_world() }
}

/// The final snapshot of an earlier object of this name.
pub(super) fn whole() -> Backup {
    Backup {
        resource_id: Some("db-EARLIER".into()),
        engine: Some(Engine::Postgresql),
        engine_version: Some("12.22".into()),
        master_user: Some("sysadmin".into()),
        allocated_gib: Some(50),
        status: "available".into(),
        complete: true,
        reaches: None,
        marks: Marks {
            cluster: Some(CLUSTER.into()),
            namespace: Some(NAMESPACE.into()),
            name: Some("orders".into()),
            uid: Some("an earlier one".into()),
            ..Marks::default()
        },
    }
}

fn with(backups: Vec<Backup>) -> World {
    World { backups: Seen::Known(backups), ..unborn() }
}

fn class(spec: &Value) -> RDSDatabaseClass {
    serde_json::from_value(json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": {"name": "standard"}, "spec": spec,
    }))
    .expect("the fixture is a class")
}

fn fenced(target: Target, spec: &Value) -> Target {
    Target { fence: Fence::of(&class(spec), &BTreeMap::new()), ..target }
}

#[test]
fn a_database_comes_back_from_its_snapshot_by_one_field() {
    let plan = planned(&restores(&json!({"snapshot": FINAL})), &with(vec![whole()]));
    let [Request::Restore(restore)] = cloud_steps(&plan)[..] else { unreachable!("{:?}", plan.steps) };
    assert_eq!(restore.origin, Origin::Snapshot(FINAL.into()));
    assert_eq!(restore.identifier, instance("available").identifier);
    assert_eq!(restore.owner.uid, super::UID, "it carries this object's marks, not those of whose data it is");
    let Settings { engine_version, allocated_gib, instance_class, backup_retention_days, .. } = &restore.settings;
    assert_eq!((engine_version, allocated_gib), (&None, &None), "both come with the data");
    assert_eq!((instance_class.as_deref(), *backup_retention_days), (Some("db.t4g.micro"), Some(7)));
}

/// What is said at a birth is said at a restore: RDS inherits nothing of it.
#[test]
fn a_birth_of_any_kind_says_what_is_to_become_of_the_support_of_its_version_and_nothing_unasked() {
    let earlier = Backup {
        reaches: Some(("2026-01-01T00:00:00Z".parse().unwrap(), "2026-01-02T00:00:00Z".parse().unwrap())),
        ..whole()
    };
    for (support, wanted) in [
        (json!(null), None),
        (json!("open-source-rds-extended-support"), Some(true)),
        (json!("open-source-rds-extended-support-disabled"), Some(false)),
    ] {
        for (from, backups) in [
            (json!(null), vec![]),
            (json!({"snapshot": FINAL}), vec![whole()]),
            (json!({"pointInTime": {}}), vec![earlier.clone()]),
        ] {
            let wish = asks(&json!({"restoreFrom": from, "engineLifecycleSupport": support}));
            let plan = planned(&wish, &with(backups));
            let said = match cloud_steps(&plan)[..] {
                [Request::Create(create)] => create.settings.extended_support,
                [Request::Restore(restore)] => restore.settings.extended_support,
                ref other => unreachable!("{from}: {other:?}"),
            };
            assert_eq!(said, wanted, "{from}, {support}");
        }
    }
}

#[test]
fn i10_a_snapshot_is_restored_where_its_own_tags_or_the_class_say_so() {
    let of = |cluster: &str, namespace: &str| Backup {
        marks: Marks { cluster: Some(cluster.into()), namespace: Some(namespace.into()), ..whole().marks },
        ..whole()
    };
    let unmarked = Backup { marks: Marks::default(), ..whole() };
    let wish = || restores(&json!({"snapshot": FINAL}));
    let listed = json!({"restorableSnapshots": ["orders-*"]});
    let mut said = Vec::new();
    for backups in [vec![], vec![of(CLUSTER, "accounts")], vec![of("another", NAMESPACE)], vec![unmarked]] {
        let there = !backups.is_empty();
        let world = World { backups: if there { Seen::Known(backups) } else { Seen::Absent }, ..unborn() };
        let plan = planned(&wish(), &world);
        assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
        said.push(blocked(&plan, Concern::Instance));
        let other = fenced(wish(), &json!({"restorableSnapshots": ["legacy-*"]}));
        assert_eq!(blocked(&planned(&other, &world), Concern::Instance).0, "NotPermitted");
        assert_eq!(cloud_steps(&planned(&fenced(wish(), &listed), &world)).len(), usize::from(there));
    }
    said.dedup();
    assert!(said.len() == 1 && said[0].0 == "NotPermitted", "nobody finds out by trying what others have: {said:?}");
}

#[test]
fn i7_what_cannot_be_restored_is_told_before_anything_is_made() {
    let wish = || restores(&json!({"snapshot": FINAL}));
    for (backup, says) in [
        (
            Backup { engine_version: Some("17.4".into()), ..whole() },
            "spec.version: 12 is asked for, and the backup holds 17.4: write \"17\"",
        ),
        (
            Backup { master_user: Some("boss".into()), ..whole() },
            "spec.masteruser: the backup brings the master user boss",
        ),
        (
            Backup { engine: Some(Engine::MySql), ..whole() },
            "spec.type: PostgreSQL is asked for, and the backup holds MySQL",
        ),
        (Backup { engine: None, ..whole() }, "the backup holds another engine"),
    ] {
        let plan = planned(&wish(), &with(vec![backup]));
        assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
        let (reason, message) = blocked(&plan, Concern::Instance);
        assert!(reason == "NotRestorable" && message.contains(says), "{reason}: {message}");
    }
    let begun = Backup { complete: false, status: "creating".into(), ..whole() };
    assert_eq!(waits(&planned(&wish(), &with(vec![begun])), Concern::Instance), "WaitingForBackup");
    let unknown = World { backups: Seen::Unknown("throttled".into()), ..unborn() };
    assert_eq!(waits(&planned(&wish(), &unknown), Concern::Instance), "CloudUnavailable");
}

/// Automated backups of an earlier life, from one hour of a day to another.
fn automated(resource: &str, name: &str, from: i8, to: i8) -> Backup {
    let at = |hour: i8| format!("2026-03-29T{hour:02}:00:00Z").parse().expect("it is a moment");
    let marks = Marks { name: Some(name.into()), ..whole().marks };
    Backup { resource_id: Some(resource.into()), reaches: Some((at(from), at(to))), marks, ..whole() }
}

#[test]
fn a_moment_is_looked_for_in_the_backups_that_reach_it() {
    let lives =
        || vec![automated("db-1", "orders", 1, 5), automated("db-2", "orders", 6, 9), automated("db-3", "stock", 1, 9)];
    let at = |hour: &str| format!("2026-03-29T{hour}:00:00Z");
    for (moment, resource) in [
        (json!({}), Some("db-2")),
        (json!({"time": at("07")}), Some("db-2")),
        (json!({"time": at("05")}), Some("db-1")),
        (json!({"database": "stock", "time": at("02")}), Some("db-3")),
        (json!({"database": "carts"}), None),
        (json!({"time": "2026-03-29T05:30:00Z"}), None),
        (json!({"time": at("10")}), None),
    ] {
        let plan = planned(&restores(&json!({"pointInTime": moment})), &with(lives()));
        let found = cloud_steps(&plan).first().map(|request| match request {
            Request::Restore(restore) => match &restore.origin {
                Origin::PointInTime { resource_id, time } => (resource_id.clone(), time.map(|time| json!(time))),
                origin @ Origin::Snapshot(_) => unreachable!("{origin}"),
            },
            other => unreachable!("{other}"),
        });
        let wanted = resource.map(|resource| (resource.to_owned(), moment.get("time").cloned()));
        assert_eq!(found, wanted, "{moment}");
        if resource.is_none() {
            assert_eq!(blocked(&plan, Concern::Instance).0, "NotRestorable", "{moment}");
        }
    }
}

#[test]
fn i10_backups_of_another_namespace_are_none() {
    let foreign = |marks: Marks| Backup { marks, ..automated("db-1", "orders", 1, 5) };
    let theirs = [
        Marks { namespace: Some("accounts".into()), ..whole().marks },
        Marks { cluster: Some("another".into()), ..whole().marks },
        Marks::default(),
    ];
    let plan = planned(&restores(&json!({"pointInTime": {}})), &with(theirs.map(foreign).into()));
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
    assert_eq!(blocked(&plan, Concern::Instance).0, "NotRestorable");
}

#[test]
fn i1_a_restore_that_may_have_been_heard_is_not_sent_again_at_once() {
    let wish = restores(&json!({"snapshot": FINAL}));
    let mut world = with(vec![whole()]);
    let request = cloud_steps(&planned(&wish, &world))[0].clone();
    super::refused(&mut world, request, ErrorClass::Unreachable);
    assert_eq!(cloud_steps(&planned(&wish, &world)), Vec::<&Request>::new());
}

/// Made by hand: it has no marks but the consent of who made it.
fn by_hand(consent: Option<&str>) -> Instance {
    let adopt = consent.map(str::to_owned);
    Instance { identifier: "legacy".into(), marks: Marks { adopt, ..Marks::default() }, ..instance("available") }
}

fn adopting(target: &Target, found: Seen<Instance>) -> World {
    World { identifier: "legacy".parse().expect("it is one"), adopts: target.adopts(), instance: found, ..unborn() }
}

#[test]
fn an_instance_made_by_hand_is_marked_and_nothing_else() {
    let wish = fenced(asks(&json!({"adopt": "legacy"})), &json!({"allowAdoption": true}));
    let world = adopting(&wish, Seen::Known(by_hand(Some("shop/orders"))));
    let plan = planned(&wish, &world);
    let [Request::Mark(MarkInstance { owner: Some(owner), .. })] = cloud_steps(&plan)[..] else {
        unreachable!("{:?}", plan.steps)
    };
    assert_eq!(owner, &world.owner());
    let pin = plan.pin.expect("it is pinned");
    assert_eq!((pin.identifier.as_str(), pin.created), ("legacy", true));
}

#[test]
fn i10_no_instance_is_taken_over_without_consent_on_both_sides() {
    let permits = json!({"allowAdoption": true});
    let wish = || asks(&json!({"adopt": "legacy"}));
    let theirs = Instance { marks: Marks { adopt: Some("shop/orders".into()), ..whole().marks }, ..by_hand(None) };
    let others =
        Instance { marks: Marks { namespace: Some("accounts".into()), ..theirs.marks.clone() }, ..theirs.clone() };
    let mut said = Vec::new();
    for found in [
        Seen::Absent,
        Seen::Known(by_hand(None)),
        Seen::Known(by_hand(Some("accounts/orders"))),
        Seen::Known(by_hand(Some("shop/orders-2"))),
        Seen::Known(others),
    ] {
        let wish = fenced(wish(), &permits);
        let plan = planned(&wish, &adopting(&wish, found));
        assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
        said.push(blocked(&plan, Concern::Instance));
    }
    said.dedup();
    assert!(said.len() == 1 && said[0].0 == "NotPermitted", "{said:?}");
    assert!(said[0].1.contains("Key=matrixmind.cloud/adopt,Value=shop/orders"), "{}", said[0].1);
    for wish in [wish(), fenced(wish(), &json!({"allowAdoption": false}))] {
        let plan = planned(&wish, &adopting(&wish, Seen::Known(by_hand(Some("shop/orders")))));
        assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
        assert_eq!(blocked(&plan, Concern::Instance).0, "ClassNotPermitted");
    }
}
