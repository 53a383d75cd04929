//! Changes of an instance: what is sent, what is held back.

use std::time::Duration;

use serde_json::json;

use super::{
    accepted, blocked, cloud_steps, create, empty_world, gib, inputs, instance, kept_for, look, modify, now,
    on_instance, orders, pinned, plan, planned, refused, settled_world, target, waits,
};
use crate::engine::postgres::DIALECT;
use crate::plan::outcome::Concern;
use crate::plan::reason::Reason;
use crate::plan::step::{ClusterStep, Step};
use crate::plan::world::{SecretFact, Seen, SqlFailure, World};
use crate::providers::{ErrorClass, Request, Settings};

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
        instance.running.allocated_gib = Some(allocated);
        world.instance = Seen::Known(instance);
        let spec = json!({"size": size, "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]}});
        let plan = planned(&target(&spec), &world);
        let grown = cloud_steps(&plan).first().and_then(|step| match step {
            Request::Modify(request) => request.change.allocated_gib,
            _ => None,
        });
        assert_eq!(grown, wanted, "{size} over {allocated}");
    }
}

/// RDS takes no size of such storage without IOPS, which the object has no word for.
#[test]
fn i7_what_the_cloud_does_not_offer_is_told_and_not_asked() {
    let unborn = World { pinned: Some(pinned(None)), secrets: settled_world().secrets, ..empty_world() };
    let mut dear = orders();
    dear.class.storage_type = "io2".into();
    let plan = planned(&dear, &unborn);
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
    assert_eq!(blocked(&plan, Concern::Instance).0, "NotOffered");

    let mut restored = settled_world();
    on_instance(&mut restored, |instance| instance.running.storage_type = Some("io1".into()));
    assert_eq!(planned(&orders(), &restored).steps, [], "what runs is not judged");
    let wish = target(&json!({"size": "100GB", "backup": {"retention": "14d"}}));
    let plan = planned(&wish, &restored);
    let (reason, message) = blocked(&plan, Concern::Storage);
    assert_eq!(reason, "NotOffered");
    assert!(message.starts_with("spec.size: ") && message.contains("io1"), "{message}");
    assert_eq!(cloud_steps(&plan), [&modify(kept_for(14))], "it stops no other change");
}

#[test]
fn a_storage_cooldown_stops_no_new_user() {
    let grown = target(&json!({"size": "100GB", "users": {"new": []}}));
    let mut world = settled_world();
    world.visit_inputs = Some(inputs("with the new user"));
    refused(&mut world, modify(gib(94)), ErrorClass::StorageCooldown);
    let plan = planned(&grown, &world);
    assert_eq!(waits(&plan, Concern::Storage), "StorageCooldown");
    let create = ClusterStep::CreateSecret { secret: "orders.rds.new".into(), user: "new".into(), dialect: DIALECT };
    assert!(plan.steps.contains(&Step::Cluster(create)));
    assert!(plan.steps.contains(&look(&world)));
}

#[test]
fn what_was_refused_is_asked_again_when_its_time_has_come_or_the_wish_has_changed() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    let request = create(&orders(), &world);
    refused(&mut world, request, ErrorClass::Refused);
    let retry_at = now() + Duration::from_secs(30);
    let held = plan(&orders(), &world, now());
    assert_eq!(cloud_steps(&held), Vec::<&Request>::new());
    assert_eq!(blocked(&held, Concern::Instance).0, "RefusedByCloud");
    assert!(held.again <= Duration::from_secs(60), "i7: it looks again whether the world has mended itself");
    let again = plan(&orders(), &world, retry_at);
    assert_eq!(cloud_steps(&again), [&create(&orders(), &world)]);
    assert_eq!(blocked(&again, Concern::Instance), blocked(&held, Concern::Instance), "i5: a try is no news");
    world.ledger.done(&again.steps[0], retry_at);
    assert_eq!(waits(&plan(&orders(), &world, retry_at), Concern::Instance), "ChangeAccepted");
}

/// What was refused for its retention, its master user or its tags goes out again when that is corrected.
#[test]
fn i7_every_part_of_a_creation_makes_it_another_one() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    let request = create(&orders(), &world);
    refused(&mut world, request, ErrorClass::Refused);
    assert_eq!(cloud_steps(&planned(&orders(), &world)), Vec::<&Request>::new());
    let mut corrected = vec![
        target(&json!({"size": "50Gi"})),
        target(&json!({"backup": {"retention": "14d"}})),
        target(&json!({"masteruser": "boss"})),
        target(&json!({"deletionProtection": true})),
        target(&json!({"version": "16.9"})),
        target(&json!({"instanceClass": "db.t4g.small"})),
        target(&json!({"engineLifecycleSupport": "open-source-rds-extended-support-disabled"})),
    ];
    for change in [
        |class: &mut crate::subject::Class| drop(class.tags.insert("team".into(), "shop".into())),
        |class: &mut crate::subject::Class| class.security_groups.push("sg-1".into()),
        |class: &mut crate::subject::Class| class.subnet_group = Some("private".into()),
        |class: &mut crate::subject::Class| class.kms_key = Some("key".into()),
        |class: &mut crate::subject::Class| class.storage_type = "gp2".into(),
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
    instance.running.backup_retention_days = Some(1);
    world.instance = Seen::Known(instance);
    assert_eq!(cloud_steps(&planned(&orders(), &world)).len(), 1);
    accepted(&mut world, &modify(kept_for(7)), 3, now() - Duration::from_secs(61));
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
    let (reason, message) = blocked(&plan, Concern::Backups);
    assert_eq!(reason, "ChangeHasNoEffect");
    assert!(message.contains("backups kept for 7 days"), "{message}");
}

#[test]
fn drift_that_the_spec_does_not_declare_is_no_drift() {
    let mut world = settled_world();
    let mut drifted = instance("available");
    drifted.running.engine_version = Some("12.99".into());
    drifted.running.allocated_gib = Some(500);
    drifted.running.instance_class = Some("db.r8g.large".into());
    drifted.running.deletion_protection = Some(true);
    world.instance = Seen::Known(drifted);
    assert_eq!(planned(&orders(), &world).steps, []);
}

#[test]
fn one_change_of_the_cloud_a_pass() {
    let mut world = settled_world();
    let mut instance = instance("available");
    instance.running.backup_retention_days = Some(1);
    world.instance = Seen::Known(instance);
    world.visit = None;
    let wish = target(&json!({"size": "100GB", "instanceClass": "db.r8g.large", "deletionProtection": true}));
    let plan = planned(&wish, &world);
    assert_eq!(cloud_steps(&plan).len(), 1, "{:?}", plan.steps);
    assert!(!plan.steps.iter().any(Step::is_inside), "the visit waits for the change");
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
    let reset = |world: &World| match cloud_steps(&planned(&orders(), world))[..] {
        [request @ Request::ResetMaster(_)] => Some(request.clone()),
        _ => None,
    };
    let request = reset(&world).expect("it was refused");
    accepted(&mut world, &request, 3, now() - Duration::from_secs(61));
    assert_eq!(reset(&world), None);
    let Some(Seen::Known(SecretFact::Ours { data, .. })) = world.secrets.get_mut("orders.rds.master") else {
        unreachable!("the fixture has one")
    };
    data.0.insert("password".into(), "another".into());
    assert!(reset(&world).is_some());
}

#[test]
fn a_change_of_the_major_version_is_not_sent() {
    let plan = planned(&target(&json!({"version": "15"})), &settled_world());
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
    assert_eq!(blocked(&plan, Concern::Settings).0, "MajorVersionDiffers");
}

#[test]
fn an_accepted_change_is_given_time_to_show() {
    let mut world = settled_world();
    let mut instance = instance("available");
    instance.running.backup_retention_days = Some(1);
    world.instance = Seen::Known(instance);
    accepted(&mut world, &modify(kept_for(7)), 1, now());
    let early = plan(&orders(), &world, now() + Duration::from_secs(10));
    assert_eq!(waits(&early, Concern::Backups), "ChangeAccepted");
    assert_eq!(cloud_steps(&early), Vec::<&Request>::new());
    assert_eq!(cloud_steps(&plan(&orders(), &world, now() + Duration::from_secs(61))).len(), 1);
}

#[test]
fn a_pinned_minor_version_is_not_upgraded_behind_its_back() {
    let pinned = target(&json!({"version": "12.22"}));
    let plan = planned(&pinned, &settled_world());
    let off = cloud_steps(&plan).iter().any(
        |step| matches!(step, Request::Modify(request) if request.change.auto_minor_version_upgrade == Some(false)),
    );
    assert!(off, "{:?}", plan.steps);
}

#[test]
fn i9_two_refused_changes_do_not_take_turns() {
    let mut world = settled_world();
    let mut instance = instance("available");
    instance.running.backup_retention_days = Some(1);
    world.instance = Seen::Known(instance);
    let wish = target(&json!({
        "instanceClass": "db.r8g.large", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
    }));
    let class = Settings { instance_class: Some("db.r8g.large".into()), ..Settings::default() };
    refused(&mut world, modify(kept_for(7)), ErrorClass::Unauthorized);
    refused(&mut world, modify(class), ErrorClass::Unauthorized);
    assert_eq!(planned(&wish, &world).steps, []);
}
