//! One concern at a time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::{
    Answer, Asked, CloudStep, ClusterStep, Concern, Effect, Outcome, Plan, SecretFact, Seen, ServiceFact, Setback,
    SqlFailure, Step, World, plan,
};
use super::{RESOURCE, empty_world, instance, now, orders, pinned, secret, settled_world, target};
use crate::providers::{ErrorClass, InstanceState};
use crate::target::Target;

fn planned(target: &Target, world: &World) -> Plan {
    plan(target, world, now())
}

fn cloud_steps(plan: &Plan) -> Vec<&CloudStep> {
    plan.steps.iter().filter_map(|step| if let Step::Cloud(step) = step { Some(step) } else { None }).collect()
}

#[track_caller]
fn blocked(plan: &Plan, concern: Concern) -> (&'static str, String) {
    match plan.outcome(concern) {
        Some(Outcome::Blocked { reason, message, .. }) => (reason, message.clone()),
        other => unreachable!("{concern:?} is {other:?}"),
    }
}

#[track_caller]
fn waits(plan: &Plan, concern: Concern) -> &'static str {
    match plan.outcome(concern) {
        Some(Outcome::Wait { reason, .. }) => reason,
        other => unreachable!("{concern:?} is {other:?}"),
    }
}

fn refused(world: &mut World, effect: Effect, request: &str, class: ErrorClass, retry_at: Timestamp) {
    let answer = Answer::Refused { class, message: "refused".into(), retry_at, attempts: 1 };
    world.asked.insert(effect, Asked { request: request.into(), at: now(), answer });
}

fn accepted(world: &mut World, effect: Effect, request: &str, times: u32, at: Timestamp) {
    world.asked.insert(effect, Asked { request: request.into(), at, answer: Answer::Accepted { times } });
}

#[test]
fn i5_at_rest_nothing_is_done() {
    let plan = planned(&orders(), &settled_world());
    assert_eq!(plan.steps, []);
    for (concern, outcome) in &plan.outcomes {
        assert!(matches!(outcome, Outcome::Done { .. }), "{concern:?}: {outcome:?}");
    }
}

#[test]
fn i5_a_second_look_makes_nothing_less_than_ready() {
    let long_after = now() + SignedDuration::from_hours(1);
    let due = plan(&orders(), &settled_world(), long_after);
    assert_eq!((due.steps.as_slice(), due.again), (&[Step::VisitDatabase][..], Duration::ZERO));
    assert_eq!(due.outcomes, planned(&orders(), &settled_world()).outcomes);
}

#[test]
fn a_failed_visit_stays_failed_until_another_one_went_well() {
    let mut world = settled_world();
    let failure = SqlFailure {
        reason: "DatabaseUnreachable",
        message: "connection refused".into(),
        needs_person: false,
        master_refused: false,
        retry_at: now() + SignedDuration::from_secs(5),
        attempts: 1,
    };
    world.visit.as_mut().expect("the fixture has one").result = Err(failure.clone());
    let early = planned(&orders(), &world);
    assert_eq!((early.steps.as_slice(), early.again), (&[][..], Duration::from_secs(5)));
    let due = plan(&orders(), &world, failure.retry_at);
    assert_eq!(due.steps, [Step::VisitDatabase]);
    assert_eq!(due.outcomes, early.outcomes);
    assert_eq!(waits(&due, Concern::Databases), "DatabaseUnreachable");
}

#[test]
fn i1_an_instance_of_another_object_is_never_touched() {
    for tag in
        ["matrixmind.cloud/cluster", "matrixmind.cloud/namespace", "matrixmind.cloud/name", "matrixmind.cloud/uid"]
    {
        for value in [None, Some("another")] {
            let mut world = settled_world();
            let mut theirs = instance("available");
            theirs.allocated_gib = Some(5);
            match value {
                Some(value) => theirs.tags.insert(tag.into(), value.into()),
                None => theirs.tags.remove(tag),
            };
            world.instance = Seen::Known(theirs);
            let plan = planned(&target(json!({"size": "100GB"})), &world);
            assert_eq!(cloud_steps(&plan), Vec::<&CloudStep>::new(), "{tag} {value:?}");
            assert!(!plan.steps.contains(&Step::VisitDatabase));
            let (reason, message) = blocked(&plan, Concern::Instance);
            if value.is_some() && tag == "matrixmind.cloud/uid" {
                assert_eq!(reason, "InstanceOfPredecessor");
            } else {
                assert_eq!(reason, "InstanceNotOurs");
                assert!(message.contains(tag), "{message}");
            }
        }
    }
}

#[test]
fn i2_a_lost_instance_is_not_replaced_by_an_empty_one() {
    let mut world = settled_world();
    world.instance = Seen::Absent;
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&CloudStep>::new());
    let (reason, message) = blocked(&plan, Concern::Instance);
    assert_eq!(reason, "InstanceLost");
    assert!(message.contains(RESOURCE) && message.contains("recreate-lost-instance"), "{message}");

    world.object.recreate_lost = Some("db-OTHER".into());
    assert_eq!(blocked(&planned(&orders(), &world), Concern::Instance).0, "InstanceLost", "another one's permission");
    world.object.recreate_lost = Some(RESOURCE.into());
    assert_eq!(cloud_steps(&planned(&orders(), &world)), [&CloudStep::Create]);
}

#[test]
fn i2_what_is_unknown_is_not_absent() {
    let mut world = settled_world();
    world.instance = Seen::Unknown("throttled".into());
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&CloudStep>::new());
    assert_eq!(waits(&plan, Concern::Instance), "CloudUnavailable");

    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    world.instance = Seen::Unknown("throttled".into());
    assert_eq!(cloud_steps(&planned(&orders(), &world)), Vec::<&CloudStep>::new());
}

#[test]
fn i2_a_namesake_is_accepted_only_by_name() {
    let mut world = settled_world();
    world.pinned = Some(pinned(Some("db-BEFORE")));
    let plan = planned(&orders(), &world);
    assert_eq!(blocked(&plan, Concern::Instance).0, "InstanceReplaced");
    assert!(!plan.steps.contains(&Step::VisitDatabase));
    world.object.accept_instance = Some(RESOURCE.into());
    assert_eq!(planned(&orders(), &world).steps, []);
}

#[test]
fn another_account_is_not_a_lost_instance() {
    let mut world = settled_world();
    world.instance = Seen::Absent;
    world.account.as_mut().expect("the fixture has one").account = "999999999999".into();
    let plan = planned(&orders(), &world);
    assert_eq!(blocked(&plan, Concern::Instance).0, "OtherAccount");
    assert_eq!(cloud_steps(&plan), Vec::<&CloudStep>::new());
}

#[test]
fn i4_no_instance_before_its_password_is_in_a_secret() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&CloudStep>::new());
    assert_eq!(waits(&plan, Concern::Instance), "WaitingForSecret");
    assert_eq!(plan.steps.len(), 3, "{:?}", plan.steps);
    assert!(plan.steps.iter().all(|step| matches!(step, Step::Cluster(ClusterStep::CreateSecret { .. }))));

    world.secrets = [("orders.rds.master".to_owned(), secret("sysadmin", &[], None))].into();
    assert_eq!(cloud_steps(&planned(&orders(), &world)), [&CloudStep::Create]);
}

#[test]
fn nothing_is_created_before_it_is_pinned_where() {
    let mut world = empty_world();
    world.secrets = settled_world().secrets;
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&CloudStep>::new());
    assert!(plan.steps.contains(&Step::Cluster(ClusterStep::Pin)));
}

#[test]
fn i10_a_secret_of_somebody_else_stops_its_user_and_nobody_else() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    let foreign = Seen::Known(SecretFact::Foreign { why: "it is not marked as this object's".into() });
    world.secrets = [("orders.rds.app".to_owned(), foreign)].into();
    let plan = planned(&orders(), &world);
    let touched: Vec<_> = plan.steps.iter().filter(|step| format!("{step:?}").contains("orders.rds.app")).collect();
    assert_eq!(touched, Vec::<&Step>::new());
    assert_eq!(plan.steps.len(), 2, "the other two are created: {:?}", plan.steps);

    let mut world = settled_world();
    world.secrets.insert("orders.rds.app".into(), Seen::Known(SecretFact::Foreign { why: "not ours".into() }));
    let (reason, message) = blocked(&planned(&orders(), &world), Concern::Secrets);
    assert_eq!(reason, "SecretNotOurs");
    assert!(message.contains("orders.rds.app"), "{message}");
}

#[test]
fn a_lost_password_is_renewed_and_a_lost_secret_made_again() {
    let mut world = settled_world();
    let Some(Seen::Known(SecretFact::Ours { data, .. })) = world.secrets.get_mut("orders.rds.report") else {
        unreachable!()
    };
    data.0.remove("password");
    world.secrets.remove("orders.rds.app");
    let plan = planned(&orders(), &world);
    let repair = ClusterStep::RepairPassword { secret: "orders.rds.report".into(), user: "report".into() };
    let create = ClusterStep::CreateSecret { secret: "orders.rds.app".into(), user: "app".into() };
    assert!(plan.steps.contains(&Step::Cluster(repair)), "{:?}", plan.steps);
    assert!(plan.steps.contains(&Step::Cluster(create)), "{:?}", plan.steps);
}

#[test]
fn i4_a_removed_users_secret_goes_after_the_server_was_told() {
    let without_report = target(json!({"users": {"app": ["createdb"]}, "databases": {"orders": ["app"]}}));
    let mut world = settled_world();
    world.visit_inputs = Some("changed".into());
    let plan = planned(&without_report, &world);
    assert!(plan.steps.contains(&Step::VisitDatabase));
    assert!(!format!("{:?}", plan.steps).contains("DeleteSecret"), "{:?}", plan.steps);

    world.visit.as_mut().expect("the fixture has one").inputs = "changed".into();
    let plan = planned(&without_report, &world);
    let delete = ClusterStep::DeleteSecret { secret: "orders.rds.report".into(), uid: "uid-of-report".into() };
    assert_eq!(plan.steps, [Step::Cluster(delete)]);
}

#[test]
fn a_namespace_that_ends_gets_no_new_secret() {
    let mut world = empty_world();
    world.object.namespace_terminating = true;
    world.pinned = Some(pinned(None));
    let plan = planned(&orders(), &world);
    assert_eq!(plan.steps, []);
    assert_eq!(waits(&plan, Concern::Secrets), "NamespaceTerminating");
}

#[test]
fn i10_an_alias_that_somebody_has_is_left_alone_and_takes_nothing_from_readiness() {
    let mut world = settled_world();
    world.alias = Some(Seen::Known(ServiceFact::Foreign { owner: "the RDSDatabase orders in namespace other".into() }));
    let plan = planned(&orders(), &world);
    assert_eq!(plan.steps, []);
    let (reason, message) = blocked(&plan, Concern::Alias);
    assert_eq!(reason, "ServiceNotOurs");
    assert!(message.contains("namespace other"), "{message}");
}

#[test]
fn an_endpoint_outside_the_providers_domains_gets_no_service_and_no_password() {
    for host in ["evil.example", "evil-rds.amazonaws.com", "rds.amazonaws.com.evil.example"] {
        let mut world = settled_world();
        let mut strange = instance("available");
        strange.endpoint.as_mut().expect("the fixture has one").host = host.into();
        world.instance = Seen::Known(strange);
        world.visit = None;
        let plan = planned(&orders(), &world);
        assert_eq!(blocked(&plan, Concern::Instance).0, "EndpointNotTrusted", "{host}");
        assert_eq!(plan.steps, [], "{host}");
    }
}

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
        let plan = planned(&target(spec), &world);
        let grown = cloud_steps(&plan).first().and_then(|step| match step {
            CloudStep::Modify { request, .. } => request.allocated_gib,
            _ => None,
        });
        assert_eq!(grown, wanted, "{size} over {allocated}");
    }
}

#[test]
fn a_storage_cooldown_stops_no_new_user() {
    let grown = target(json!({"size": "100GB", "users": {"new": []}}));
    let mut world = settled_world();
    world.visit_inputs = Some("with the new user".into());
    let retry_at = now() + SignedDuration::from_hours(1);
    refused(&mut world, Effect::Storage, "ModifyDBInstance AllocatedStorage=94", ErrorClass::StorageCooldown, retry_at);
    let plan = planned(&grown, &world);
    assert_eq!(waits(&plan, Concern::Storage), "StorageCooldown");
    let create = ClusterStep::CreateSecret { secret: "orders.rds.new".into(), user: "new".into() };
    assert!(plan.steps.contains(&Step::Cluster(create)));
    assert!(plan.steps.contains(&Step::VisitDatabase));
}

#[test]
fn what_was_refused_is_asked_again_when_its_time_has_come_or_the_wish_has_changed() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    let request = super::super::create_request(&orders(), &world);
    let retry_at = now() + SignedDuration::from_secs(60);
    refused(&mut world, Effect::Create, &request, ErrorClass::Refused, retry_at);
    let held = plan(&orders(), &world, now());
    assert_eq!(cloud_steps(&held), Vec::<&CloudStep>::new());
    assert_eq!(blocked(&held, Concern::Instance).0, "RefusedByCloud");
    assert!(held.again <= Duration::from_secs(60), "i7: it looks again whether the world has mended itself");
    assert_eq!(cloud_steps(&plan(&orders(), &world, retry_at)), [&CloudStep::Create]);
    assert_eq!(cloud_steps(&planned(&target(json!({"size": "50Gi"})), &world)), [&CloudStep::Create]);
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
        now() - SignedDuration::from_secs(61),
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
    let wish = target(json!({"size": "100GB", "instanceClass": "db.r8g.large", "deletionProtection": true}));
    let plan = planned(&wish, &world);
    assert_eq!(cloud_steps(&plan).len(), 1, "{:?}", plan.steps);
    assert!(!plan.steps.contains(&Step::VisitDatabase), "the visit waits for the change");
}

#[test]
fn i8_an_unknown_state_is_one_that_passes() {
    let mut world = settled_world();
    let mut strange = instance("available");
    strange.status = InstanceState::new("performing-a-state-of-the-future");
    world.instance = Seen::Known(strange);
    let plan = planned(&orders(), &world);
    assert_eq!(waits(&plan, Concern::Instance), "InstanceNotReady");
    assert_eq!(plan.steps, []);
}

#[test]
fn a_refused_master_password_is_reset_once_for_each_password() {
    let mut world = settled_world();
    let failure = SqlFailure {
        reason: "MasterPasswordRefused",
        message: "refused".into(),
        needs_person: false,
        master_refused: true,
        retry_at: now(),
        attempts: 1,
    };
    world.visit.as_mut().expect("the fixture has one").result = Err(failure);
    assert_eq!(cloud_steps(&planned(&orders(), &world)), [&CloudStep::ResetMasterPassword]);
    let request = super::super::reset_request(&world);
    accepted(&mut world, Effect::Password, &request, 3, now() - SignedDuration::from_secs(61));
    assert_eq!(cloud_steps(&planned(&orders(), &world)), Vec::<&CloudStep>::new());
    world.visit_inputs = Some("another password".into());
    world.visit.as_mut().expect("the fixture has one").inputs = "another password".into();
    assert_eq!(cloud_steps(&planned(&orders(), &world)), [&CloudStep::ResetMasterPassword]);
}

#[test]
fn paused_means_that_nothing_is_done() {
    let mut world = empty_world();
    world.object.finalizer = false;
    assert_eq!(planned(&target(json!({"paused": true})), &world).steps, []);
}

#[test]
fn a_change_of_the_major_version_is_not_sent() {
    let plan = planned(&target(json!({"version": "15"})), &settled_world());
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
    let early = plan(&orders(), &world, now() + SignedDuration::from_secs(10));
    assert_eq!(waits(&early, Concern::Backups), "ChangeAccepted");
    assert_eq!(cloud_steps(&early), Vec::<&CloudStep>::new());
    assert_eq!(cloud_steps(&plan(&orders(), &world, now() + SignedDuration::from_secs(61))).len(), 1);
}

#[test]
fn a_predecessors_instance_is_taken_up_when_it_is_named() {
    let mut world = settled_world();
    world.pinned = Some(pinned(None));
    let mut kept = instance("available");
    kept.tags.insert("matrixmind.cloud/uid".into(), "before".into());
    world.instance = Seen::Known(kept);
    assert_eq!(blocked(&planned(&orders(), &world), Concern::Instance).0, "InstanceOfPredecessor");
    world.object.accept_instance = Some("db-OTHER".into());
    assert_eq!(blocked(&planned(&orders(), &world), Concern::Instance).0, "InstanceOfPredecessor");
    world.object.accept_instance = Some(RESOURCE.into());
    let plan = planned(&orders(), &world);
    assert!(matches!(cloud_steps(&plan)[..], [CloudStep::Tag { .. }]), "{:?}", plan.steps);
}

#[test]
fn i1_an_annotation_takes_up_no_instance_of_another_name() {
    let mut world = settled_world();
    let mut theirs = instance("available");
    theirs.tags.insert("matrixmind.cloud/name".into(), "another".into());
    world.instance = Seen::Known(theirs);
    world.object.accept_instance = Some(RESOURCE.into());
    let plan = planned(&orders(), &world);
    assert_eq!(blocked(&plan, Concern::Instance).0, "InstanceNotOurs");
    assert_eq!(plan.steps, []);
}

#[test]
fn a_pinned_minor_version_is_not_upgraded_behind_its_back() {
    let pinned = target(json!({"version": "12.22"}));
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
    let wish = target(json!({
        "instanceClass": "db.r8g.large", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
    }));
    let retry_at = now() + SignedDuration::from_secs(60);
    let (backups, settings) =
        ("ModifyDBInstance BackupRetentionPeriod=7", "ModifyDBInstance DBInstanceClass=db.r8g.large");
    refused(&mut world, Effect::Backups, backups, ErrorClass::Unauthorized, retry_at);
    refused(&mut world, Effect::Settings, settings, ErrorClass::Unauthorized, retry_at);
    assert_eq!(planned(&wish, &world).steps, []);
}

#[test]
fn i8_a_step_that_kubernetes_refuses_stops_no_other() {
    let mut world = settled_world();
    world.alias = Some(Seen::Absent);
    world.visit = None;
    let create = planned(&orders(), &world).steps.into_iter().find(|step| matches!(step, Step::Cluster(_)));
    let setback = Setback {
        message: "namespaces \"rds\" not found".into(),
        retry_at: now() + SignedDuration::from_secs(5),
        attempts: 1,
    };
    world.setbacks.insert(create.expect("the alias is missing").to_string(), setback);
    let plan = planned(&orders(), &world);
    assert_eq!(plan.steps, [Step::VisitDatabase]);
    match plan.outcome(Concern::Alias) {
        Some(Outcome::Wait { reason: "ClusterRefused", message, until: Some(_) }) => assert!(message.contains("rds")),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn i1_a_creation_whose_answer_was_lost_may_still_appear() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    let request = super::super::create_request(&orders(), &world);
    refused(&mut world, Effect::Create, &request, ErrorClass::AlreadyExists, now() + SignedDuration::from_secs(2));
    assert_eq!(waits(&planned(&orders(), &world), Concern::Instance), "NotSeenYet");
    accepted(&mut world, Effect::Create, &request, 1, now());
    assert_eq!(waits(&planned(&orders(), &world), Concern::Instance), "ChangeAccepted");
}
