//! Objects whose database serves, and is to be otherwise: other settings, other versions, copies that are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::api::RDSDatabaseClass;

use super::super::copies::{copy, world as copies_of};
use super::super::upgrades::about_to_rise;
use super::super::{at, empty_world, gib, modify, now, on_instance, target};
use super::wanted::{accept, grown, in_cloud_state, parameters, refuse, runs_with, wanted, with_spec};
use super::{CURRENT, FAILED, IN_PROGRESS, State, Verdict, lived_in, orders_spec, ready};
use crate::plan::world::{Seen, World};
use crate::providers::{Applied, ErrorClass, Group, Quota, Snapshot, Values};
use crate::subject::{Fence, resolved};

/// What is kept beside the automated backups takes nothing from Ready.
pub(super) fn copies() -> Vec<State> {
    let kept = |name, snapshots, change: fn(&mut World)| {
        let mut spec = orders_spec();
        spec["backup"] = json!({"every": "48h", "retention": "4d"});
        with_spec(name, CURRENT, &spec, |world| {
            world.copies = copies_of(snapshots).copies;
            on_instance(world, |instance| instance.running.backup_retention_days = Some(4));
            change(world);
        })
    };
    let mut many = orders_spec();
    many["backup"] = json!({"every": "25h", "retention": "35d"});
    let failing = |number: u32| {
        let end = if number == 1 { String::new() } else { format!("-{number}") };
        Snapshot {
            identifier: format!("{}-kept-20270114-0000{end}", empty_world().identifier),
            status: "failed".into(),
            ..copy(1)
        }
    };
    vec![
        kept("ready-with-copies", vec![copy(49), copy(1)], |_| {}),
        kept("ready-keeping-copy", vec![copy(50)], |_| {}),
        kept("ready-pruning-copy", vec![copy(200), copy(1)], |_| {}),
        kept("ready-copy-failed", [1, 2, 3].map(failing).into(), |_| {}),
        kept("ready-snapshot-quota", vec![copy(50)], |world| {
            let quota = Seen::Known(Quota { used: 95, most: 100 });
            world.copies.iter_mut().for_each(|copies| copies.quota = quota.clone());
        }),
        with_spec("ready-not-scheduled", CURRENT, &many, |world| {
            on_instance(world, |instance| instance.running.backup_retention_days = Some(35));
        }),
        grown("ready-backups-behind", CURRENT, |world| {
            let hours = SignedDuration::from_hours(5);
            on_instance(world, |instance| instance.restorable = Some(at() - hours));
        }),
    ]
}

pub(super) fn changes() -> Vec<State> {
    let mut large = orders_spec();
    large["size"] = json!("100GB");
    let mut newer = orders_spec();
    newer["version"] = json!("15");
    let (mut tuned, mut at_once) = (orders_spec(), orders_spec());
    tuned["parameters"] = json!({"work_mem": 65_536});
    at_once["applyImmediately"] = json!(true);
    let mut misspelt = orders_spec();
    misspelt["parameters"] = json!({"work_memory": 65_536});
    let mut rising = newer.clone();
    rising["allowMajorVersionUpgrade"] = json!(true);
    let mut smaller = orders_spec();
    smaller["instanceClass"] = json!("db.t4g.small");
    vec![
        with_spec("modifying", IN_PROGRESS, &large, |_| {}),
        with_spec("growing", IN_PROGRESS, &large, |world| {
            in_cloud_state(world, "modifying");
            on_instance(world, |instance| instance.pending.allocated_gib = Some(94));
        }),
        with_spec("waiting-for-window", CURRENT, &smaller, |world| {
            on_instance(world, |instance| instance.pending.instance_class = Some("db.t4g.small".into()));
        }),
        with_spec("withdrawal-applies-others", FAILED, &smaller, |world| {
            on_instance(world, |instance| {
                instance.pending.instance_class = Some("db.t4g.large".into());
                instance.pending.engine_version = Some("12.99".into());
                instance.running.instance_class = Some("db.t4g.small".into());
            });
        }),
        with_spec("parameters-being-prepared", IN_PROGRESS, &tuned, |world| parameters(world, Seen::Absent)),
        with_spec("parameter-group-not-ours", FAILED, &tuned, |world| {
            let group = Group { name: String::new(), family: String::new(), cluster: None, values: Values::new() };
            parameters(world, Seen::Known(group));
        }),
        with_spec("parameters-not-offered", FAILED, &misspelt, |world| {
            parameters(world, Seen::Absent);
        }),
        grown("parameters-under-way", IN_PROGRESS, |world| runs_with(world, Applied::UnderWay)),
        grown("parameters-not-applied", FAILED, |world| runs_with(world, Applied::Failed)),
        grown("restart-waits-for-window", CURRENT, |world| runs_with(world, Applied::AtRestart)),
        with_spec("restarting", IN_PROGRESS, &at_once, |world| runs_with(world, Applied::AtRestart)),
        with_spec("instance-busy", IN_PROGRESS, &large, |world| in_cloud_state(world, "modifying")),
        with_spec("storage-cooldown", IN_PROGRESS, &large, |world| {
            refuse(world, modify(gib(94)), ErrorClass::StorageCooldown, "six hours must pass between changes");
        }),
        with_spec("change-has-no-effect", FAILED, &large, |world| {
            accept(world, &modify(gib(94)), 3, now() - Duration::from_mins(5));
        }),
        with_spec("major-version-differs", FAILED, &newer, |_| {}),
        with_spec("taking-snapshot", IN_PROGRESS, &rising, |world| about_to_rise(world, false)),
        with_spec("upgrade-blocked", FAILED, &rising, |world| about_to_rise(world, true)),
        // It was restored so, and taken up.
        with_spec("change-not-offered", FAILED, &large, |world| {
            on_instance(world, |instance| instance.running.storage_type = Some("io1".into()));
        }),
        under_class("tagging", IN_PROGRESS, &orders_spec(), &json!({"tags": {"cost-center": "shop"}})),
        under_class("change-not-permitted", FAILED, &large, &json!({"maxSize": "50GB"})),
    ]
}

/// A database that runs, whose class was edited to this.
fn under_class(name: &'static str, verdict: Verdict, spec: &Value, class: &Value) -> State {
    let class = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": {"name": "standard"}, "spec": class,
    });
    let class: RDSDatabaseClass = serde_json::from_value(class).expect("the fixture is a class");
    let mut target = target(spec);
    target.class = resolved(Some(&class));
    target.fence = Fence::of(&class, &BTreeMap::new());
    wanted(name, verdict, spec, &target, &lived_in(), &ready())
}
