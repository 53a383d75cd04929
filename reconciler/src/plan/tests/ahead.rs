//! The plan in view: all steps to come, what they mean and when, in their order; nothing of what is as it should be.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::date;
use serde_json::{Value, json};
use shared::api::{DeletionPolicy, PlannedStep, RDSDatabaseStatus};
use shared::rules::{self, DefaultVersions, Impact, Observed};

use super::upgrades::rises;
use super::windows::{class, waiting, wish};
use super::{
    CLUSTER, Plan, World, accepted, cloud_steps, departure, empty_world, instance, leave, now, on_instance, pinned,
    planned, refused, settled_world, target,
};
use crate::plan::world::Seen;
use crate::providers::aws::state;
use crate::providers::{Allowed, Applied, ErrorClass, Group, Parameter};
use crate::status;
use crate::subject::{Departure, Subject, Target};

const WINDOW: &str = "in the maintenance window sun:04:00-sun:05:00 UTC";
const UNPAUSED: &str = "once spec.paused is false";
const BEFORE: &str = "once the step before it is done";

/// The steps of a plan, as lines: `what | impact | when`. The names of instance and groups are left out.
fn lines(plan: &Plan) -> Vec<String> {
    let line = |PlannedStep { step, impact, when }: &PlannedStep| {
        let impact: Vec<_> = impact.iter().map(ToString::to_string).collect();
        let mut step = step.replace(&settled_world().identifier.to_string(), "X");
        // Digests of values.
        if let Some((what, rest)) = step.split_once(" (values ") {
            step = format!("{what}{}", rest.split_once(')').map_or("", |(_, rest)| rest));
        }
        format!("{step} | {} | {when}", impact.join(", "))
    };
    plan.ahead.iter().map(line).collect()
}

#[track_caller]
fn listed(plan: &Plan, wanted: &[String]) {
    let found = lines(plan);
    let same = found.len() == wanted.len() && found.iter().zip(wanted).all(|(is, wanted)| is == wanted);
    assert!(same, "{found:#?}\nis not\n{wanted:#?}");
}

fn paused(besides: &Value) -> Target {
    let mut besides = besides.clone();
    besides["paused"] = json!(true);
    wish(&besides)
}

#[test]
fn a_pause_shows_every_change_with_what_it_means_and_holds_it() {
    let changes = json!({
        "size": "100GB", "multiAZ": true, "instanceClass": "db.t4g.large", "backup": {"retention": "3d"},
        "users": {"app": ["createdb"], "report": [], "new": []}, "tags": {"team": "blue"},
    });
    let plan = planned(&paused(&changes), &settled_world());
    assert_eq!(plan.steps, []);
    let held = |line: &str| format!("{line} | {UNPAUSED}");
    listed(
        &plan,
        &[
            held("create Secret orders.rds.new | none"),
            held("change the instance X: storage 94 GiB | irreversible, cost"),
            held("change the instance X: backups kept for 3 days | irreversible"),
            held("change the instance X: standby in another zone on | cost"),
            format!("change the instance X: instance class db.t4g.large | outage, cost | {WINDOW}, {BEFORE}"),
            held("tag the instance: team | none"),
        ],
    );
}

#[test]
fn what_waits_for_its_window_is_listed_until_it_is_done_also_under_a_pause() {
    let small = json!({"instanceClass": "db.t4g.small"});
    let line = format!("change the instance X: instance class db.t4g.small | outage, cost | {WINDOW}");
    listed(&planned(&wish(&small), &settled_world()), std::slice::from_ref(&line));
    listed(&planned(&wish(&small), &waiting(class("db.t4g.small"))), std::slice::from_ref(&line));
    // RDS makes it whether the object is paused or not.
    listed(&planned(&paused(&small), &waiting(class("db.t4g.small"))), &[line]);
    let mut done = settled_world();
    on_instance(&mut done, |instance| instance.running.instance_class = Some("db.t4g.small".into()));
    listed(&planned(&wish(&small), &done), &[]);
    // What comes of the word that it is to be made at once.
    let at_once = json!({"instanceClass": "db.t4g.small", "applyImmediately": true});
    let line = "change the instance X: instance class db.t4g.small | outage, cost | now".to_owned();
    listed(&planned(&wish(&at_once), &waiting(class("db.t4g.small"))), &[line]);
    // What is being made is no step to come.
    let mut under_way = waiting(class("db.t4g.small"));
    on_instance(&mut under_way, |instance| instance.status = state("modifying"));
    listed(&planned(&wish(&small), &under_way), &[]);
}

#[test]
fn a_major_upgrade_is_listed_with_all_that_leads_to_it() {
    let snapshot = "make the snapshot X-before-17-1 of the instance X (for shop/orders";
    let upgrade = "upgrade the instance X: engine version 17.6";
    let found = lines(&planned(&rises(false), &rises_from("12.22")));
    assert!(found[0].starts_with(snapshot) && found[0].ends_with(" | cost | now"), "{found:#?}");
    assert_eq!(found[1..], [format!("{upgrade} | outage, irreversible | {WINDOW}, {BEFORE}")]);
    let at_once = lines(&planned(&rises(true), &rises_from("12.22")));
    assert_eq!(at_once[1..], [format!("{upgrade} | outage, irreversible | {BEFORE}")]);
    // Where the running version does not reach it, its own newest minor one comes first.
    let mut far = rises_from("12.15");
    if let Some(passage) = &mut far.passage
        && let Seen::Known(upgrades) = &mut passage.upgrades
    {
        upgrades.targets = vec!["12.22".into(), "13.20".into()];
    }
    let found = lines(&planned(&rises(false), &far));
    assert_eq!(found[0], format!("change the instance X: engine version 12.22 | outage, irreversible | {WINDOW}"));
    assert!(found[1].starts_with(snapshot) && found[1].ends_with(&format!(" | cost | {BEFORE}")), "{found:#?}");
    let upgrade = "upgrade the instance X: engine version 17";
    assert_eq!(found[2..], [format!("{upgrade} | outage, irreversible | {WINDOW}, {BEFORE}")]);
}

fn rises_from(version: &str) -> World {
    let mut world = super::upgrades::before_seventeen();
    on_instance(&mut world, |instance| instance.running.engine_version = Some(version.into()));
    world
}

#[test]
fn other_parameters_are_listed_to_the_restart_that_takes_them_up() {
    let asks = wish(&json!({"parameters": {"work_mem": 65536}}));
    let mut world = settled_world();
    let offered = [("work_mem".to_owned(), Parameter { modifiable: true, allowed: Allowed::Any })].into();
    world.offered = [("postgres12".to_owned(), Seen::Known(Arc::new(offered)))].into();
    let group = super::super::instance::wanted(&asks, &world, asks.desired.version).expect("it asks for one");
    world.groups.insert(group.name.clone(), Seen::Absent);
    let name = &group.name;
    let found = lines(&planned(&asks, &world));
    assert_eq!(found[0], format!("create the parameter group {name} (postgres12) | none | now"));
    assert_eq!(found[1], format!("fill the parameter group {name}: work_mem | none | {BEFORE}"));
    let restart = format!("restart the instance X, an outage, so that it takes up the parameter group {name}");
    assert_eq!(
        found[2..],
        [
            format!("change the instance X: parameter group {name} | none | {BEFORE}"),
            format!("{restart} | brief outage | {WINDOW}, {BEFORE}"),
        ]
    );
    // Attached by now: the restart is what is left.
    let held = Group { name: name.clone(), family: group.family, cluster: Some(CLUSTER.into()), values: group.values };
    world.groups.insert(name.clone(), Seen::Known(held));
    on_instance(&mut world, |instance| {
        instance.running.parameter_group = Some(name.clone());
        instance.parameters = Applied::AtRestart;
    });
    listed(&planned(&asks, &world), &[format!("{restart} | brief outage | {WINDOW}")]);
}

#[test]
fn i3_of_a_deletion_the_end_of_the_instance_is_listed_and_what_is_left_of_it() {
    let mut leaving = settled_world();
    leaving.object.deleting = true;
    let services = "delete Service (Own), and 1 more like it | outage";
    for (policy, end) in [
        (DeletionPolicy::Snapshot, "delete the instance X after the final snapshot"),
        (
            DeletionPolicy::Delete,
            "delete the instance X without a snapshot, with its automated backups | outage, irreversible",
        ),
    ] {
        let found = lines(&leave(&departure(policy), &leaving));
        assert_eq!((&found[0], found.len()), (&format!("{services} | now"), 2), "{found:#?}");
        assert!(found[1].starts_with(end) && found[1].ends_with(BEFORE), "{found:#?}");
        assert_eq!(policy == DeletionPolicy::Snapshot, found[1].contains(" | outage | "), "{found:#?}");
        let held = Departure { paused: true, ..departure(policy) };
        let plan = leave(&held, &leaving);
        assert_eq!((plan.steps.len(), &lines(&plan)[0]), (0, &format!("{services} | {UNPAUSED}")));
    }
    let found = lines(&leave(&departure(DeletionPolicy::Retain), &leaving));
    assert_eq!(found[1..], [format!("mark the instance as left on purpose | none | {BEFORE}")]);
}

#[test]
fn i5_what_is_as_it_should_be_has_no_plan_and_what_is_stuck_promises_nothing() {
    listed(&planned(&wish(&json!({})), &settled_world()), &[]);
    let lost = World { instance: Seen::Absent, ..settled_world() };
    listed(&planned(&wish(&json!({})), &lost), &[]);
    listed(&planned(&wish(&json!({"size": "500Gi", "storage": {"iops": 90_000}})), &settled_world()), &[]);
    // What was accepted a moment ago is asked for no more.
    let grown = wish(&json!({"size": "40Gi"}));
    let request = cloud_steps(&planned(&grown, &settled_world()))[0].clone();
    let mut asked = settled_world();
    accepted(&mut asked, &request, 1, now());
    listed(&planned(&grown, &asked), &[]);
    let mut without_effect = settled_world();
    accepted(&mut without_effect, &request, 3, crate::clock::Moment::LONG_AGO);
    listed(&planned(&grown, &without_effect), &[]);
    let mut cooling = settled_world();
    refused(&mut cooling, request, ErrorClass::StorageCooldown);
    let when = "once StorageReady has what it waits for (StorageCooldown)";
    listed(
        &planned(&grown, &cooling),
        &[format!("change the instance X: storage 40 GiB | irreversible, cost | {when}")],
    );
}

#[test]
fn a_birth_is_listed_to_the_instance_and_shows_no_password() {
    let young = World { pinned: Some(pinned(None)), ..empty_world() };
    let plan = planned(&wish(&json!({"paused": true})), &young);
    let found = lines(&plan);
    assert_eq!(found[0], format!("create Secret orders.rds.master, and 2 more like it | none | {UNPAUSED}"));
    assert!(found[1].starts_with("create the instance X (") && found[1].contains(" | cost | once "), "{found:#?}");
    let shown = format!("{:?}", plan.ahead);
    assert!(shown.contains("orders.rds.master") && !shown.contains("imagined"), "i4: {shown}");
    // What is born is not looked past: it shows what it is when it is there.
    let mut creating = World { instance: Seen::Known(instance("creating")), ..settled_world() };
    creating.visit = None;
    listed(&planned(&wish(&json!({})), &creating), &[]);
}

/// The next step to the cloud is one that was told of, with nothing in its way.
#[test]
fn i7_what_is_done_next_was_told_as_what_comes_now() {
    let mut done = 0;
    for world in super::paused::worlds() {
        let plan = planned(&super::paused::wanted(false), &world);
        for request in cloud_steps(&plan) {
            let told = plan.ahead.iter().find(|planned| planned.step == format!("{request:#}"));
            assert!(told.is_some_and(|told| !told.when.contains("once ")), "{request} is not in {:#?}", plan.ahead);
            done += 1;
        }
    }
    assert!(done > 3, "these worlds are too quiet");
}

#[test]
fn i13_a_plan_has_an_end_and_so_has_each_line() {
    let tags: serde_json::Map<_, _> =
        (0..40).map(|number| (format!("{number}{}", "k".repeat(100)), json!("v".repeat(250)))).collect();
    let users: serde_json::Map<_, _> = (0..500).map(|number| (format!("user{number}"), json!([]))).collect();
    let target = target(&json!({"users": users, "tags": tags, "size": "100GB", "instanceClass": "db.t4g.large"}));
    let world = settled_world();
    let plan = planned(&target, &world);
    let before = RDSDatabaseStatus::default();
    let status = status::of(&before, Some(1), &Subject::Living(target), &world, &plan, jiff::Timestamp::UNIX_EPOCH);
    assert!((2..=16).contains(&status.plan.len()), "{:#?}", status.plan);
    assert!(status.plan.iter().all(|planned| planned.step.len() <= 600), "{:#?}", status.plan);
}

/// What admission says of an edit, and what is planned when the operator has read it, are the same words.
#[test]
fn admission_warns_of_what_the_plan_shows() {
    let base = json!({
        "version": "12", "size": "20Gi", "instanceClass": "db.t4g.micro", "backup": {"retention": "7d"},
        "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
        "maintenanceWindow": "sun:04:00-sun:05:00",
    });
    let observed = Observed {
        created: true,
        allocated: Some(rules::Gibibytes::new(20)),
        engine_version: Some("12.22".into()),
        master_user: None,
    };
    for edit in [
        json!({"instanceClass": "db.t4g.small"}),
        json!({"instanceClass": "db.r8g.large", "applyImmediately": true}),
        json!({"version": "12.23"}),
        json!({"size": "40Gi"}),
        json!({"multiAZ": true}),
        json!({"backup": {"retention": "14d"}}),
        json!({"backup": {"retention": "3d"}}),
        json!({"storage": {"autoscaling": {}}}),
        json!({"deletionProtection": true, "tags": {"team": "blue"}}),
    ] {
        let mut edited = base.clone();
        edited.as_object_mut().expect("it is a map").extend(edit.as_object().expect("it is one").clone());
        let complete = |spec: &Value| rules::defaults(spec, None, DefaultVersions::BUILT_IN);
        let (old, new) = (complete(&base), complete(&edited));
        let old = rules::Subject { observed: Some(&observed), ..rules::Subject::new("orders", &old) };
        let verdict = rules::update(&rules::Subject::new("orders", &new), &old, date(2025, 1, 1));
        let warned: BTreeSet<String> = verdict.warnings.iter().filter_map(|warning| words(&warning.message)).collect();
        let mut told = BTreeSet::new();
        for planned in planned(&target(&edited), &settled_world()).ahead {
            let when = |impact: &Impact| match impact {
                // Only of an outage both know the time.
                Impact::Outage | Impact::BriefOutage => format!("{impact}, {}", planned.when),
                _ => impact.to_string(),
            };
            told.extend(planned.impact.iter().filter(|impact| **impact != Impact::None).map(when));
        }
        assert_eq!(warned, told, "{edit}: {:#?}", verdict.warnings);
    }
}

/// The impact that a warning begins with, and its time.
fn words(message: &str) -> Option<String> {
    let impact = Impact::ALL
        .iter()
        .find(|impact| message.strip_prefix(&impact.to_string()).is_some_and(|rest| rest.starts_with([':', ','])))?;
    let outage = matches!(impact, Impact::Outage | Impact::BriefOutage);
    let until = if outage { message.rsplit_once(": ")?.0.to_owned() } else { impact.to_string() };
    Some(until)
}

#[test]
fn a_cloud_that_cannot_be_seen_takes_no_plan_away() {
    let step = PlannedStep { step: "grow".into(), impact: vec![Impact::Cost], when: "now".into() };
    let before = RDSDatabaseStatus { plan: vec![step.clone()], ..RDSDatabaseStatus::default() };
    let target = wish(&json!({}));
    let of = |world: &World| {
        let plan = planned(&target, world);
        let subject = Subject::Living(target.clone());
        status::of(&before, Some(1), &subject, world, &plan, jiff::Timestamp::UNIX_EPOCH).plan
    };
    assert_eq!(of(&World { instance: Seen::Unknown("throttled".into()), ..settled_world() }), [step]);
    assert_eq!(of(&settled_world()), []);
}
