//! Objects that are being deleted: Terminating to kstatus and Progressing to Argo CD whatever holds them up. What that is, only the
//! message says.

use serde_json::{Value, json};
use shared::api::{DeletionPolicy, RDSDatabaseStatus};
use std::time::Duration;

use super::super::{RESOURCE, departure, empty_world, final_name, instance, leave, now, pinned};
use super::{State, TERMINATING, json_of, lived_in, moment, orders_spec, ready, served};
use crate::plan::world::{Seen, World};
use crate::providers::{Marks, Snapshot, SnapshotKind};
use crate::status;
use crate::subject::{Departure, Refusal, Subject};

pub(super) fn states() -> Vec<State> {
    let mut leaving = lived_in();
    leaving.object.deleting = true;
    let mut states = vec![State {
        name: "deletion-asked",
        verdict: TERMINATING,
        object: served(&orders_spec(), &leaving, 2, &json_of(&ready())),
    }];
    states.extend(progress());
    states.extend(obstacles());
    states
}

/// The Services are gone already.
fn leaving(name: &'static str, extra: &Value, change: impl FnOnce(&mut World)) -> State {
    let mut world = World { service: Seen::Absent, alias: Some(Seen::Absent), ..lived_in() };
    change(&mut world);
    state(name, extra, world, &ready())
}

fn state(name: &'static str, extra: &Value, mut world: World, before: &RDSDatabaseStatus) -> State {
    world.object.deleting = true;
    let mut spec = orders_spec();
    for (key, value) in extra.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    let policy = match spec["deletionPolicy"].as_str() {
        Some("Delete") => Err(Refusal::ClassNotPermitted {
            class: "standard".into(),
            why: "spec.deletionPolicy: Delete is not among Snapshot, Retain".into(),
        }),
        Some("Retain") => Ok(DeletionPolicy::Retain),
        _ if spec["className"] == "gone" => Err(Refusal::Unreachable(Box::new(Refusal::ClassGone("gone".into())))),
        _ => Ok(DeletionPolicy::Snapshot),
    };
    let departure = Departure {
        policy,
        protection: spec["deletionProtection"].as_bool(),
        paused: spec["paused"].as_bool().unwrap_or_default(),
        ..departure(DeletionPolicy::Snapshot)
    };
    let plan = leave(&departure, &world);
    let status = status::of(before, Some(2), &Subject::Leaving(departure), &world, &plan, moment());
    State { name, verdict: TERMINATING, object: served(&spec, &world, 2, &json_of(&status)) }
}

fn in_cloud_state(world: &mut World, word: &str) {
    let Seen::Known(instance) = &mut world.instance else { unreachable!("the fixture has one") };
    instance.status = crate::providers::aws::state(word);
}

fn protect(world: &mut World) {
    let Seen::Known(instance) = &mut world.instance else { unreachable!("the fixture has one") };
    instance.running.deletion_protection = Some(true);
}

fn progress() -> Vec<State> {
    vec![
        state("deleting-services", &json!({}), lived_in(), &ready()),
        leaving("deletion-marks-what-stays", &json!({"deletionPolicy": "Retain"}), |_| {}),
        leaving("deletion-asked-of-the-cloud", &json!({}), |_| {}),
        leaving("deletion-being-unprotected", &json!({"deletionProtection": false}), protect),
        leaving("deleting-instance", &json!({}), |world| in_cloud_state(world, "deleting")),
        leaving("deletion-waits-for-snapshot", &json!({}), |world| {
            world.instance = Seen::Absent;
            world.snapshots = Seen::Known(vec![Snapshot {
                identifier: final_name(world),
                kind: SnapshotKind::Manual,
                status: "creating".into(),
                created: None,
                resource_id: Some(RESOURCE.into()),
                marks: Marks::default(),
            }]);
        }),
        leaving("deletion-waits-for-the-instance", &json!({}), |world| in_cloud_state(world, "rebooting")),
        leaving("deletion-waits-for-creation", &json!({}), |world| in_cloud_state(world, "creating")),
        state(
            "deletion-while-creation-pends",
            &json!({}),
            World { pinned: Some(pinned(None)), acting_since: now() - Duration::from_secs(10), ..empty_world() },
            &RDSDatabaseStatus::default(),
        ),
    ]
}

fn obstacles() -> Vec<State> {
    vec![
        leaving("deletion-final-snapshot-failed", &json!({}), |world| {
            world.instance = Seen::Absent;
            world.snapshots = Seen::Known(vec![Snapshot {
                identifier: final_name(world),
                kind: SnapshotKind::Manual,
                status: "failed".into(),
                created: None,
                resource_id: Some(RESOURCE.into()),
                marks: Marks::default(),
            }]);
        }),
        leaving("deletion-of-what-is-marked-as-anothers", &json!({}), |world| {
            let Seen::Known(instance) = &mut world.instance else { unreachable!("the fixture has one") };
            instance.marks.name = Some("another".into());
        }),
        leaving("deletion-paused", &json!({"paused": true}), |_| {}),
        leaving("deletion-protected", &json!({"deletionProtection": true}), |_| {}),
        leaving("deletion-protected-in-the-cloud", &json!({}), protect),
        leaving("deletion-policy-not-permitted", &json!({"deletionPolicy": "Delete"}), |_| {}),
        leaving("deletion-without-its-class", &json!({"className": "gone"}), |_| {}),
        leaving("deletion-without-snapshot", &json!({}), |world| world.instance = Seen::Absent),
        leaving("deletion-snapshot-impossible", &json!({}), |world| in_cloud_state(world, "incompatible-restore")),
        leaving("deletion-in-other-account", &json!({}), |world| {
            world.account.as_mut().expect("the fixture has one").account = "999999999999".into();
        }),
        leaving("deletion-tags-missing", &json!({}), |world| {
            let mut stripped = instance("available");
            stripped.marks = Marks::default();
            world.instance = Seen::Known(stripped);
        }),
        leaving("deletion-cloud-unavailable", &json!({}), |world| world.account = Err("no credentials".into())),
    ]
}
