//! Changes of an instance: what is sent, what is held back.

use std::time::Duration;

use serde_json::json;

use super::super::{CloudStep, ClusterStep, Concern, Effect, Reason, Seen, SqlFailure, Step};
use super::{
    accepted, blocked, cloud_steps, create, empty_world, instance, now, orders, pinned, plan, planned, refused,
    settled_world, target, waits,
};
use crate::providers::ErrorClass;

#[test]
fn storage_grows_by_a_tenth_at_least_and_never_shrinks() {
    let table = [
        ("10GB", 20, None),
        ("21Gi", 20, Some(22)),
        ("100GB", 20, Some(94)),
        ("20Gi", 100, None),
        ("1Ti", 1000, Some(1100)),
    ];
    for (size, allocated, wanted) in table {
        let mut world = settled_world();
        let mut instance = instance("available");
        instance.allocated_gib = Some(allocated);
        world.instance = Seen::Known(instance);
        let spec = json!({"size": size, "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]}});
        let plan = planned(&target(&spec), &world);
        let grown = cloud_steps(&plan).first().and_then(|step| match step {
            CloudStep::Modify { request, .. } => request.allocated_gib,
            _ => None,
        });
        assert_eq!(grown, wanted, "{size} over {allocated}");
    }
}

#[test]
fn a_storage_cooldown_stops_no_new_user() {
    let grown = target(&json!({"size": "100GB", "users": {"new": []}}));
    let mut world = settled_world();
    world.visit_inputs = Some("with the new user".into());
    let retry_at = now() + Duration::from_hours(1);
    refused(&mut world, Effect::Storage, "ModifyDBInstance AllocatedStorage=94", ErrorClass::StorageCooldown, retry_at);
    let plan = planned(&grown, &world);
    assert_eq!(waits(&plan, Concern::Storage), "StorageCooldown");
    let create = ClusterStep::CreateSecret { secret: "orders.rds.new".into(), user: "new".into() };
    assert!(plan.steps.contains(&Step::Cluster(create)));
    assert!(plan.steps.contains(&Step::Look));
}

#[test]
fn what_was_refused_is_asked_again_when_its_time_has_come_or_the_wish_has_changed() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    let request = super::super::instance::creation(&orders(), &world).to_string();
    let retry_at = now() + Duration::from_secs(60);
    refused(&mut world, Effect::Create, &request, ErrorClass::Refused, retry_at);
    let held = plan(&orders(), &world, now());
    assert_eq!(cloud_steps(&held), Vec::<&CloudStep>::new());
    assert_eq!(blocked(&held, Concern::Instance).0, "RefusedByCloud");
    assert!(held.again <= Duration::from_secs(60), "i7: it looks again whether the world has mended itself");
    assert_eq!(cloud_steps(&plan(&orders(), &world, retry_at)), [&create(&orders(), &world)]);
}

/// What was refused for its retention, its master user or its tags goes out again when that is corrected.
#[test]
fn i7_every_part_of_a_creation_makes_it_another_one() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    let request = super::super::instance::creation(&orders(), &world).to_string();
    refused(&mut world, Effect::Create, &request, ErrorClass::Refused, now() + Duration::from_secs(600));
    assert_eq!(cloud_steps(&planned(&orders(), &world)), Vec::<&CloudStep>::new());
    let mut corrected = vec![
        target(&json!({"size": "50Gi"})),
        target(&json!({"backup": {"retention": "14d"}})),
        target(&json!({"masteruser": "boss"})),
        target(&json!({"deletionProtection": true})),
        target(&json!({"version": "16.9"})),
        target(&json!({"instanceClass": "db.t4g.small"})),
    ];
    for change in [
        |class: &mut crate::subject::Class| drop(class.tags.insert("team".into(), "shop".into())),
        |class: &mut crate::subject::Class| class.security_groups.push("sg-1".into()),
        |class: &mut crate::subject::Class| class.subnet_group = Some("private".into()),
        |class: &mut crate::subject::Class| class.kms_key = Some("key".into()),
        |class: &mut crate::subject::Class| class.storage_type = "io2".into(),
    ] {
        let mut target = orders();
        change(&mut target.class);
        corrected.push(target);
    }
    for target in corrected {
        assert_eq!(cloud_steps(&planned(&target, &world)), [&create(&target, &world)], "{target:?}");
    }
}

#[test]
fn a_change_without_effect_is_not_sent_for_ever() {
    let mut world = settled_world();
    let mut instance = instance("available");
    instance.backup_retention_days = Some(1);
    world.instance = Seen::Known(instance);
    assert_eq!(cloud_steps(&planned(&orders(), &world)).len(), 1);
    accepted(
        &mut world,
        Effect::Backups,
        "ModifyDBInstance BackupRetentionPeriod=7",
        3,
        now() - Duration::from_secs(61),
    );
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&CloudStep>::new());
    let (reason, message) = blocked(&plan, Concern::Backups);
    assert_eq!(reason, "ChangeHasNoEffect");
    assert!(message.contains("BackupRetentionPeriod"), "{message}");
}

#[test]
fn drift_that_the_spec_does_not_declare_is_no_drift() {
    let mut world = settled_world();
    let mut drifted = instance("available");
    drifted.engine_version = Some("12.99".into());
    drifted.allocated_gib = Some(500);
    drifted.instance_class = Some("db.r8g.large".into());
    drifted.deletion_protection = true;
    world.instance = Seen::Known(drifted);
    assert_eq!(planned(&orders(), &world).steps, []);
}

#[test]
fn one_change_of_the_cloud_a_pass() {
    let mut world = settled_world();
    let mut instance = instance("available");
    instance.backup_retention_days = Some(1);
    world.instance = Seen::Known(instance);
    world.visit = None;
    let wish = target(&json!({"size": "100GB", "instanceClass": "db.r8g.large", "deletionProtection": true}));
    let plan = planned(&wish, &world);
    assert_eq!(cloud_steps(&plan).len(), 1, "{:?}", plan.steps);
    assert!(!plan.steps.contains(&Step::Look), "the visit waits for the change");
}

#[test]
fn a_refused_master_password_is_reset_once_for_each_password() {
    let mut world = settled_world();
    let failure = SqlFailure {
        reason: Reason::MasterPasswordRefused,
        message: "refused".into(),
        needs_person: false,
        master_refused: true,
        retry_at: now(),
        attempts: 1,
    };
    world.visit.as_mut().expect("the fixture has one").result = Err(failure);
    assert_eq!(cloud_steps(&planned(&orders(), &world)), [&CloudStep::ResetMasterPassword]);
    let request = super::super::reset_request(&world);
    accepted(&mut world, Effect::Password, &request, 3, now() - Duration::from_secs(61));
    assert_eq!(cloud_steps(&planned(&orders(), &world)), Vec::<&CloudStep>::new());
    world.visit_inputs = Some("another password".into());
    world.visit.as_mut().expect("the fixture has one").inputs = "another password".into();
    assert_eq!(cloud_steps(&planned(&orders(), &world)), [&CloudStep::ResetMasterPassword]);
}

#[test]
fn a_change_of_the_major_version_is_not_sent() {
    let plan = planned(&target(&json!({"version": "15"})), &settled_world());
    assert_eq!(cloud_steps(&plan), Vec::<&CloudStep>::new());
    assert_eq!(blocked(&plan, Concern::Settings).0, "MajorUpgradeNotOffered");
}

#[test]
fn an_accepted_change_is_given_time_to_show() {
    let mut world = settled_world();
    let mut instance = instance("available");
    instance.backup_retention_days = Some(1);
    world.instance = Seen::Known(instance);
    let request = "ModifyDBInstance BackupRetentionPeriod=7".to_owned();
    accepted(&mut world, Effect::Backups, &request, 1, now());
    let early = plan(&orders(), &world, now() + Duration::from_secs(10));
    assert_eq!(waits(&early, Concern::Backups), "ChangeAccepted");
    assert_eq!(cloud_steps(&early), Vec::<&CloudStep>::new());
    assert_eq!(cloud_steps(&plan(&orders(), &world, now() + Duration::from_secs(61))).len(), 1);
}

#[test]
fn a_pinned_minor_version_is_not_upgraded_behind_its_back() {
    let pinned = target(&json!({"version": "12.22"}));
    let plan = planned(&pinned, &settled_world());
    let off = cloud_steps(&plan).iter().any(
        |step| matches!(step, CloudStep::Modify { request, .. } if request.auto_minor_version_upgrade == Some(false)),
    );
    assert!(off, "{:?}", plan.steps);
}

#[test]
fn i9_two_refused_changes_do_not_take_turns() {
    let mut world = settled_world();
    let mut instance = instance("available");
    instance.backup_retention_days = Some(1);
    world.instance = Seen::Known(instance);
    let wish = target(&json!({
        "instanceClass": "db.r8g.large", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
    }));
    let retry_at = now() + Duration::from_secs(60);
    let (backups, settings) =
        ("ModifyDBInstance BackupRetentionPeriod=7", "ModifyDBInstance DBInstanceClass=db.r8g.large");
    refused(&mut world, Effect::Backups, backups, ErrorClass::Unauthorized, retry_at);
    refused(&mut world, Effect::Settings, settings, ErrorClass::Unauthorized, retry_at);
    assert_eq!(planned(&wish, &world).steps, []);
}
