//! What users of others' operators suffer from, each with the thread that told of it: `docs/peers.md` has all of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::api::DeletionPolicy;

use super::windows::wish;
use super::{
    Concern, Request, SecretFact, Settings, World, cloud_steps, create, departure, empty_world, final_name, leave, now,
    on_instance, pinned, plan, planned, refused, settled_world,
};
use crate::plan::outcome::Outcome;
use crate::plan::step::Step;
use crate::plan::world::Seen;
use crate::providers::{Delete, ErrorClass, Modify};

/// [`settled_world`], where the instance runs with these.
fn runs_with(change: impl FnOnce(&mut Settings)) -> World {
    let mut world = settled_world();
    on_instance(&mut world, |instance| change(&mut instance.running));
    world
}

/// What a provider fills in, or somebody chose by hand, for all that [`super::orders`] leaves out. A setting that comes to be is named here.
fn chosen_elsewhere(running: &Settings) -> Settings {
    let Settings {
        // Declared, by the defaults at least: an object always has a version, a size and a retention.
        engine_version,
        allocated_gib,
        backup_retention_days,
        // The platform's, and a class that names none leaves those that are there.
        security_groups: _,
        auto_minor_version_upgrade: _,
        instance_class: _,
        iops: _,
        throughput: _,
        storage_type: _,
        max_allocated_gib: _,
        multi_az: _,
        extended_support: _,
        backup_window: _,
        maintenance_window: _,
        deletion_protection: _,
        subnet_group: _,
        kms_key: _,
        parameter_group: _,
    } = running.clone();
    Settings {
        engine_version,
        allocated_gib,
        backup_retention_days,
        security_groups: Some(BTreeSet::from(["sg-0123456789abcdef0".to_owned()])),
        auto_minor_version_upgrade: Some(false),
        instance_class: Some("db.r8g.large".into()),
        iops: Some(3000),
        throughput: Some(125),
        storage_type: Some("io2".into()),
        max_allocated_gib: Some(1000),
        multi_az: Some(true),
        extended_support: Some(false),
        backup_window: Some("00:56-01:26".into()),
        maintenance_window: Some("sat:23:48-sun:00:18".into()),
        deletion_protection: Some(true),
        subnet_group: Some("by-hand".into()),
        kms_key: Some("arn:aws:kms:eu-central-1:123456789012:key/1".into()),
        parameter_group: Some("default.postgres12".into()),
    }
}

/// aws-controllers-k8s/community#2695, #2653, GoogleCloudPlatform/k8s-config-connector#153, #5502, crossplane-contrib/provider-aws#2307.
#[test]
fn i5_no_setting_that_an_object_leaves_out_is_ever_asked_for() {
    let world = runs_with(|running| *running = chosen_elsewhere(running));
    for spec in [
        json!({}),
        // An instance that was taken over is one like any other.
        json!({"adopt": "legacy"}),
        json!({"restoreFrom": {"snapshot": "orders-before"}}),
    ] {
        let plan = planned(&wish(&spec), &world);
        assert_eq!(plan.steps, [], "{spec}");
    }
}

/// aws-controllers-k8s/community#2956.
#[test]
fn i5_a_word_about_how_changes_are_made_is_no_change() {
    let ways = json!({"applyImmediately": true, "allowMajorVersionUpgrade": true});
    assert_eq!(planned(&wish(&ways), &settled_world()).steps, []);
    // Of a change it goes out with what it is about, and not with another one.
    let Value::Object(mut wanted) = ways else { unreachable!("it is a map") };
    wanted.insert("deletionProtection".into(), true.into());
    let plan = planned(&wish(&json!(wanted)), &settled_world());
    let [Request::Modify(Modify { change, at_once, major, .. })] = cloud_steps(&plan)[..] else {
        unreachable!("{:?}", plan.steps)
    };
    assert_eq!((change.names().collect::<Vec<_>>(), *at_once, *major), (vec!["deletion protection"], true, false));
}

/// crossplane-contrib/provider-upjet-aws#1504, #1901.
#[test]
fn a_version_that_rose_by_itself_is_not_taken_back() {
    for (declared, runs) in [("12", "12.99"), ("12.20", "12.22"), ("12.22", "12.22-rds.20250814")] {
        let world = runs_with(|running| {
            running.engine_version = Some(runs.into());
            // Where a minor version is declared, the provider was told to leave it.
            running.auto_minor_version_upgrade = Some(declared == "12");
        });
        let plan = planned(&wish(&json!({"version": declared})), &world);
        assert_eq!(plan.steps, [], "{declared} is declared, and {runs} runs");
        assert_eq!(plan.outcome(Concern::Settings).map(Outcome::reason), Some(None), "{runs}");
    }
}

/// crossplane-contrib/provider-aws#2255.
#[test]
fn storage_that_grew_by_itself_is_not_taken_back() {
    let grown = runs_with(|running| {
        running.allocated_gib = Some(64);
        running.max_allocated_gib = Some(500);
    });
    let declared = json!({"size": "20Gi", "storage": {"autoscaling": {"maxSize": "500Gi"}}});
    let plan = planned(&wish(&declared), &grown);
    assert_eq!(plan.steps, []);
    assert_eq!(plan.outcome(Concern::Storage).map(Outcome::reason), Some(None));
}

/// aws-controllers-k8s/community#1139, #2076.
#[test]
fn i7_a_password_that_was_refused_is_followed_by_the_corrected_one() {
    let wish = wish(&json!({}));
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    let request = create(&wish, &world);
    refused(&mut world, request, ErrorClass::Refused);
    assert_eq!(cloud_steps(&planned(&wish, &world)), Vec::<&Request>::new());
    let Some(Seen::Known(SecretFact::Ours { data, .. })) = world.secrets.get_mut("orders.rds.master") else {
        unreachable!("the fixture has one")
    };
    data.0.insert("password".into(), "shorter".into());
    assert_eq!(cloud_steps(&planned(&wish, &world)), [&create(&wish, &world)]);
}

/// aws-controllers-k8s/community#2140: what the request names was mended where nobody of Kubernetes sees it.
#[test]
fn i7_what_was_refused_for_the_account_is_tried_again_without_an_edit() {
    let wish = wish(&json!({"deletionProtection": true}));
    let mut world = settled_world();
    let planned = planned(&wish, &world);
    let [request] = cloud_steps(&planned)[..] else { unreachable!("{:?}", planned.steps) };
    for class in [ErrorClass::Refused, ErrorClass::Unauthorized] {
        refused(&mut world, request.clone(), class);
        let held = plan(&wish, &world, now());
        assert_eq!(cloud_steps(&held), Vec::<&Request>::new());
        let again = plan(&wish, &world, now() + held.again);
        let later = plan(&wish, &world, now() + held.again + held.again);
        assert!([again, later].iter().any(|plan| cloud_steps(plan) == [request]), "{class:?}");
        world = settled_world();
    }
}

/// crossplane-contrib/provider-sql#54: a Secret that went first, with its namespace or by hand.
#[test]
fn i3_a_deletion_asks_for_no_secret() {
    let mut world = settled_world();
    world.object.deleting = true;
    world.object.namespace_terminating = true;
    (world.service, world.alias) = (Seen::Absent, Some(Seen::Absent));
    world.secrets = empty_world().secrets;
    let (identifier, snapshot) = (world.identifier.to_string(), final_name(&world));
    let request =
        Request::Delete(Delete { identifier, final_snapshot: Some(snapshot), delete_automated_backups: false });
    assert_eq!(leave(&departure(DeletionPolicy::Snapshot), &world).steps, [Step::Cloud(request)]);
}
