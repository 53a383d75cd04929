//! A fence that was narrowed after the birth: what runs goes on, and nothing leads further out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use shared::api::RDSDatabaseStatus;

use super::{
    RESOURCE, blocked, cloud_steps, empty_world, instance, object, on_instance, pinned, planned, settled_world, waits,
};
use crate::engine::paper::servers;
use crate::plan::merge::Plan;
use crate::plan::outcome::{Concern, Outcome};
use crate::plan::step::Step;
use crate::plan::world::Seen;
use crate::plan::world::World;
use crate::providers::{Modify, Request};
use crate::subject::{GuardedClass, Target, resolve};

const LABELS: &str = "the namespace's labels do not match";

/// [`super::orders`] with a change, under a class.
fn running(class: &Value, change: &Value) -> Target {
    let class = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": {"name": "standard"}, "spec": class,
    });
    let class: GuardedClass = serde_json::from_value(class).expect("a guard takes any object");
    let mut spec = json!({
        "size": "10GB", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
    });
    for (key, value) in change.as_object().expect("the change is a map") {
        spec[key] = value.clone();
    }
    let mut object = object(&spec);
    let mut instance = pinned(Some(RESOURCE));
    instance.class_name = Some("standard".into());
    object.status = Some(RDSDatabaseStatus { instance: Some(instance), ..RDSDatabaseStatus::default() });
    resolve(&object, &[Arc::new(class)], false, &BTreeMap::new(), shared::rules::DefaultVersions::BUILT_IN, &servers())
        .expect("it runs")
}

fn message(plan: &Plan, concern: Concern) -> &str {
    match plan.outcome(concern) {
        Some(Outcome::Done { message }) => message,
        other => unreachable!("{concern:?} is {other:?}"),
    }
}

/// Wants all that [`outside`] has.
fn wish() -> Value {
    json!({"instanceClass": "db.r6g.large", "size": "100Gi", "version": "12.22", "backup": {"retention": "30d"}})
}

/// An instance that is larger than a class allows by now.
fn outside() -> World {
    let mut large = instance("available");
    large.running.instance_class = Some("db.r6g.large".into());
    large.running.allocated_gib = Some(100);
    large.running.backup_retention_days = Some(30);
    large.running.auto_minor_version_upgrade = Some(false);
    World { instance: Seen::Known(large), ..settled_world() }
}

#[test]
fn paid_support_is_left_but_not_taken_up_under_a_class_that_forbids_it() {
    let class = json!({"allowExtendedSupport": false});
    let wish = |support: &str| running(&class, &json!({"engineLifecycleSupport": support}));
    let (enrolled, mut left) = (settled_world(), settled_world());
    on_instance(&mut left, |instance| instance.running.extended_support = Some(false));
    let leaves = planned(&wish("open-source-rds-extended-support-disabled"), &enrolled);
    let [Request::Modify(Modify { change, .. })] = cloud_steps(&leaves)[..] else { unreachable!("{:?}", leaves.steps) };
    assert_eq!(change.extended_support, Some(false));
    let enrols = planned(&wish("open-source-rds-extended-support"), &left);
    assert_eq!(cloud_steps(&enrols), Vec::<&Request>::new());
    let (reason, told) = blocked(&enrols, Concern::Settings);
    assert!(reason == "ClassNotPermitted" && told.contains("allowExtendedSupport"), "{reason}: {told}");
    // What runs with it goes on.
    let stays = planned(&wish("open-source-rds-extended-support"), &enrolled);
    assert_eq!(cloud_steps(&stays), Vec::<&Request>::new());
    message(&stays, Concern::Settings);
}

#[test]
fn i5_a_narrowed_fence_changes_nothing_of_what_runs() {
    for class in [
        json!({"allowedInstanceClasses": ["db.t4g.*"]}),
        json!({"allowedVersions": ["17"]}),
        json!({"maxSize": "20Gi"}),
        json!({"maxRetention": "7d"}),
        json!({"allowedNamespaces": {"matchLabels": {"tier": "gold"}}}),
        json!({"allowedDeletionPolicies": ["Retain"]}),
    ] {
        let plan = planned(&running(&class, &wish()), &outside());
        assert_eq!(plan.steps, [], "{class}");
        let blocked = plan.outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Blocked { .. }));
        assert!(!blocked, "{class}: {:?}", plan.outcomes);
        let told = message(&plan, Concern::Settings);
        assert!(
            told.contains("it stays as it is, and a new one would be refused: the class standard does not permit"),
            "{told}"
        );
    }
}

#[test]
fn i10_only_what_leads_outside_is_blocked() {
    for (class, change, concern, said) in [
        (
            json!({"allowedInstanceClasses": ["db.t4g.*"]}),
            json!({"instanceClass": "db.r6g.16xlarge"}),
            Concern::Settings,
            "spec.instanceClass: db.r6g.16xlarge is not among db.t4g.*",
        ),
        (
            json!({"allowedVersions": ["12.20"]}),
            json!({"version": "12.23"}),
            Concern::Settings,
            "spec.version: 12.23 is not among 12.20",
        ),
        (json!({"maxSize": "20Gi"}), json!({"size": "30Gi"}), Concern::Storage, "spec.size: 30Gi is more than"),
        (
            json!({"maxSize": "21Gi"}),
            json!({"size": "21Gi"}),
            Concern::Storage,
            "spec.size: 21Gi, 22Gi after a growth of a tenth, the least that the provider takes, is more than its maxSize of 21Gi",
        ),
        (
            json!({"maxRetention": "7d"}),
            json!({"backup": {"retention": "8d"}}),
            Concern::Backups,
            "spec.backup.retention: 8d is more than its maxRetention of 7d",
        ),
        (
            json!({"allowCreaterole": false}),
            json!({"users": {"app": ["createrole"], "report": []}}),
            Concern::Databases,
            "spec.users[app]: the flag createrole is not allowed",
        ),
        (
            json!({"allowedNamespaces": {"matchLabels": {"tier": "gold"}}}),
            json!({"size": "30Gi"}),
            Concern::Storage,
            LABELS,
        ),
        (
            json!({"allowedNamespaces": {"matchLabels": {"tier": "gold"}}}),
            json!({"backup": {"retention": "8d"}}),
            Concern::Backups,
            LABELS,
        ),
        (
            json!({"allowedNamespaces": {"matchLabels": {"tier": "gold"}}}),
            json!({"deletionProtection": true}),
            Concern::Settings,
            LABELS,
        ),
    ] {
        let mut world = settled_world();
        if let Seen::Known(instance) = &mut world.instance {
            instance.running.auto_minor_version_upgrade = Some(concern != Concern::Settings);
        }
        let plan = planned(&running(&class, &change), &world);
        let (reason, message) = blocked(&plan, concern);
        assert_eq!(reason, "ClassNotPermitted");
        assert!(message.contains(said), "{said}: {message}");
        assert!(!plan.steps.iter().any(|step| matches!(step, Step::Cloud(_)) || step.is_inside()), "{:?}", plan.steps);
        let others = plan.outcomes.iter().filter(|(other, _)| *other != concern);
        let stopped: Vec<_> = others.filter(|(_, outcome)| matches!(outcome, Outcome::Blocked { .. })).collect();
        assert!(stopped.is_empty(), "{class} stops {stopped:?}");
    }
}

#[test]
fn what_is_allowed_goes_out_beside_what_is_not() {
    let class = json!({"allowedInstanceClasses": ["db.t4g.*"]});
    let wish = json!({"instanceClass": "db.r6g.large", "deletionProtection": true});
    let plan = planned(&running(&class, &wish), &settled_world());
    let [Request::Modify(Modify { change, .. })] = cloud_steps(&plan)[..] else { unreachable!("{:?}", plan.steps) };
    assert_eq!((change.deletion_protection, &change.instance_class), (Some(true), &None));
}

/// It was Ready, and nobody was told.
#[test]
fn what_is_not_allowed_is_told_while_an_upgrade_waits() {
    let class = json!({"allowedInstanceClasses": ["db.t4g.*"]});
    let mut world = settled_world();
    on_instance(&mut world, |instance| instance.pending.engine_version = Some("17.6".into()));
    let upgrade = json!({"version": "17", "allowMajorVersionUpgrade": true});
    assert_eq!(waits(&planned(&running(&class, &upgrade), &world), Concern::Settings), "WaitingForWindow");
    let both = json!({"version": "17", "allowMajorVersionUpgrade": true, "instanceClass": "db.r6g.large"});
    assert_eq!(blocked(&planned(&running(&class, &both), &world), Concern::Settings).0, "ClassNotPermitted");
}

#[test]
fn the_way_back_inside_is_open() {
    let class = json!({"allowedInstanceClasses": ["db.t4g.*"], "maxRetention": "7d"});
    let wish = json!({"instanceClass": "db.t4g.micro"});
    let plan = planned(&running(&class, &wish), &outside());
    let modified: Vec<_> = plan.outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Act { .. })).collect();
    assert_eq!(modified.len(), 2, "{modified:?}");
}

/// An annotation lets a lost instance be replaced: the new one is a birth.
#[test]
fn i10_an_instance_in_place_of_a_lost_one_stands_within_the_fence() {
    let mut world = World { secrets: settled_world().secrets, pinned: Some(pinned(Some(RESOURCE))), ..empty_world() };
    world.object.recreate_lost = Some(RESOURCE.into());
    let narrow = json!({"allowedInstanceClasses": ["db.m8g.*"]});
    let plan = planned(&running(&narrow, &json!({})), &world);
    assert_eq!(blocked(&plan, Concern::Instance).0, "ClassNotPermitted");
    let wide = json!({"allowedInstanceClasses": ["db.t4g.*"]});
    let wide = running(&wide, &json!({}));
    assert_eq!(cloud_steps(&planned(&wide, &world)), [&super::create(&wide, &world)]);
}
