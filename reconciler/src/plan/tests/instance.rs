//! The instance: made once, never twice, never in place of a lost one.

use serde_json::json;

use super::{
    RESOURCE, accepted, blocked, cloud_steps, create, empty_world, instance, leave, now, orders, pinned, planned,
    refused, secret, settled_world, target, waits,
};
use crate::engine::postgres::DIALECT;
use crate::plan::ground::ACCEPT_ANNOTATION;
use crate::plan::outcome::Concern;
use crate::plan::step::{ClusterStep, Step};
use crate::plan::world::Seen;
use crate::providers::aws::state;
use crate::providers::{ErrorClass, Instance, Mark, Request, offer};

fn of(instance: &mut Instance, mark: Mark) -> &mut Option<String> {
    let marks = &mut instance.marks;
    match mark {
        Mark::Cluster => &mut marks.cluster,
        Mark::Namespace => &mut marks.namespace,
        Mark::Name => &mut marks.name,
        Mark::Uid => &mut marks.uid,
    }
}

#[test]
fn i1_an_instance_of_another_object_is_never_touched() {
    for mark in Mark::ALL {
        let tag = offer(None).mark(mark);
        for value in [None, Some("another")] {
            let mut world = settled_world();
            let mut theirs = instance("available");
            theirs.running.allocated_gib = Some(5);
            theirs.resource_id = Some("db-THEIRS".into());
            *of(&mut theirs, mark) = value.map(str::to_owned);
            world.instance = Seen::Known(theirs);
            let plan = planned(&target(&json!({"size": "100GB"})), &world);
            assert_eq!(cloud_steps(&plan), Vec::<&Request>::new(), "{mark:?} {value:?}");
            assert!(!plan.steps.iter().any(Step::is_inside));
            let (reason, message) = blocked(&plan, Concern::Instance);
            if value.is_some() && mark == Mark::Uid {
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
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
    let (reason, message) = blocked(&plan, Concern::Instance);
    assert_eq!(reason, "InstanceLost");
    assert!(message.contains(RESOURCE) && message.contains("recreate-lost-instance"), "{message}");

    world.object.recreate_lost = Some("db-OTHER".into());
    assert_eq!(blocked(&planned(&orders(), &world), Concern::Instance).0, "InstanceLost", "another one's permission");
    world.object.recreate_lost = Some(RESOURCE.into());
    assert_eq!(cloud_steps(&planned(&orders(), &world)), [&create(&orders(), &world)]);
}

#[test]
fn i2_what_is_unknown_is_not_absent() {
    let mut world = settled_world();
    world.instance = Seen::Unknown("throttled".into());
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
    assert_eq!(waits(&plan, Concern::Instance), "CloudUnavailable");

    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    world.instance = Seen::Unknown("throttled".into());
    assert_eq!(cloud_steps(&planned(&orders(), &world)), Vec::<&Request>::new());
}

#[test]
fn i2_a_namesake_is_accepted_only_by_name() {
    let mut world = settled_world();
    world.pinned = Some(pinned(Some("db-BEFORE")));
    let plan = planned(&orders(), &world);
    assert_eq!(blocked(&plan, Concern::Instance).0, "InstanceReplaced");
    assert!(!plan.steps.iter().any(Step::is_inside));
    world.object.accept_instance = Some(RESOURCE.into());
    assert_eq!(planned(&orders(), &world).steps, []);
}

/// Peers take it for another database, or for a lost one.
#[test]
fn i2_a_switchover_by_hand_is_no_loss() {
    let mut world = settled_world();
    world.pinned = Some(pinned(Some("db-BLUE")));
    world.moved_to = Some("orders-old1".into());
    let (reason, message) = blocked(&planned(&orders(), &world), Concern::Instance);
    assert_eq!(reason, "InstanceReplaced");
    assert!(message.contains("orders-old1") && message.contains("nothing is lost"), "{message}");
    assert!(message.contains(&format!("{ACCEPT_ANNOTATION}={RESOURCE}")), "{message}");
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
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
}

#[test]
fn i4_no_instance_before_its_password_is_in_a_secret() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
    assert_eq!(waits(&plan, Concern::Instance), "WaitingForSecret");
    assert_eq!(plan.steps.len(), 3, "{:?}", plan.steps);
    assert!(plan.steps.iter().all(|step| matches!(step, Step::Cluster(ClusterStep::CreateSecret { .. }))));

    world.secrets = [("orders.rds.master".to_owned(), secret("sysadmin", &[], None))].into();
    assert_eq!(cloud_steps(&planned(&orders(), &world)), [&create(&orders(), &world)]);
}

#[test]
fn nothing_is_created_before_it_is_pinned_where() {
    let mut world = empty_world();
    world.secrets = settled_world().secrets;
    let plan = planned(&orders(), &world);
    assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
    let pin = plan.pin.expect("it is pinned with this pass");
    assert_eq!((pin.account.as_deref(), pin.region.as_deref()), (Some("123456789012"), Some("eu-central-1")));
    assert_eq!(plan.again, std::time::Duration::ZERO);
}

#[test]
fn i2_a_word_of_replacement_counts_for_a_wanted_and_unpaused_object_only() {
    let mut world = settled_world();
    world.object.recreate_lost = Some(RESOURCE.into());
    let resource = |plan: &super::Plan| plan.pin.as_ref().and_then(|pin| pin.resource_id.clone());
    assert_eq!(resource(&planned(&orders(), &world)).as_deref(), Some(RESOURCE), "while it lives nothing is replaced");
    world.instance = Seen::Absent;
    let paused = target(&serde_json::json!({"paused": true}));
    assert_eq!(resource(&planned(&paused, &world)).as_deref(), Some(RESOURCE));
    let departure = super::departure(shared::api::DeletionPolicy::Snapshot);
    let leaving = leave(&departure, &world);
    assert_eq!(resource(&leaving).as_deref(), Some(RESOURCE), "on its way out, it is still known what was lost");
    assert!(!leaving.steps.contains(&Step::Cluster(ClusterStep::RemoveFinalizer)));
    assert_eq!(resource(&planned(&orders(), &world)), None);
}

#[test]
fn the_very_instance_without_a_tag_needs_that_tag_and_no_new_name() {
    for mark in [Mark::Cluster, Mark::Name, Mark::Uid] {
        let key = offer(None).mark(mark);
        let mut world = settled_world();
        let mut stripped = instance("available");
        *of(&mut stripped, mark) = None;
        world.instance = Seen::Known(stripped);
        let plan = planned(&orders(), &world);
        let (reason, message) = blocked(&plan, Concern::Instance);
        assert_eq!(reason, "TagsMissing", "{key}");
        assert!(message.contains("add-tags-to-resource") && message.contains(key), "{message}");
        assert!(!message.contains("rename"), "{message}");
        assert_eq!(plan.steps, []);
    }
}

#[test]
fn an_accepted_instance_with_another_master_user_is_told_and_nothing_is_reset() {
    let mut world = settled_world();
    let mut restored = instance("available");
    restored.master_user = Some("boss".into());
    world.instance = Seen::Known(restored);
    let why = "it is for the user boss, not sysadmin".into();
    world.secrets.insert("orders.rds.master".into(), Seen::Known(super::SecretFact::Foreign { why }));
    world.visit_inputs = None;
    let plan = planned(&orders(), &world);
    let (reason, message) = blocked(&plan, Concern::Databases);
    assert_eq!(reason, "MasterUserDiffers");
    assert!(message.contains("boss") && message.contains("sysadmin"), "{message}");
    assert_eq!(plan.steps, []);
    assert!(matches!(plan.outcome(Concern::Secrets), Some(super::Outcome::Done { .. })), "no word of deleting it");
    assert_eq!(
        plan.pin.and_then(|pin| pin.master_user).as_deref(),
        Some("boss"),
        "so that admission lets the spec follow"
    );
    let corrected = target(&serde_json::json!({"masteruser": "boss"}));
    assert!(!matches!(planned(&corrected, &world).outcome(Concern::Databases), Some(super::Outcome::Blocked { .. })));
}

#[test]
fn i1_a_renamed_instance_is_neither_lost_nor_worked_on() {
    let mut world = settled_world();
    let mut renamed = instance("available");
    renamed.identifier = "old-orders".into();
    renamed.running.allocated_gib = Some(5);
    world.instance = Seen::Known(renamed);
    let plan = planned(&orders(), &world);
    let (reason, message) = blocked(&plan, Concern::Instance);
    assert_eq!(reason, "InstanceRenamed");
    assert!(message.contains("old-orders") && message.contains(world.identifier.as_str()), "{message}");
    assert_eq!(plan.steps, []);
    (world.service, world.alias) = (Seen::Absent, Some(Seen::Absent));
    for policy in [shared::api::DeletionPolicy::Snapshot, shared::api::DeletionPolicy::Delete] {
        assert_eq!(leave(&super::departure(policy), &world).steps, [], "{policy}");
    }
}

#[test]
fn an_alias_that_cannot_be_read_stops_nothing_else() {
    let mut world = settled_world();
    (world.alias, world.service) = (Some(Seen::Unknown("services is forbidden".into())), Seen::Absent);
    let plan = planned(&orders(), &world);
    assert_eq!(waits(&plan, Concern::Alias), "ClusterUnavailable");
    assert!(matches!(plan.steps[..], [Step::Cluster(ClusterStep::CreateService { .. })]), "{:?}", plan.steps);
    world.object.deleting = true;
    let leaving = leave(&super::departure(shared::api::DeletionPolicy::Delete), &world);
    assert_eq!(leaving.steps, [], "what cannot be read may be there, and would stay");
}

#[test]
fn another_region_is_not_another_account() {
    let mut world = settled_world();
    world.account.as_mut().expect("the fixture has one").region = "us-east-1".into();
    assert_eq!(blocked(&planned(&orders(), &world), Concern::Instance).0, "OtherRegion");
}

#[test]
fn what_cannot_be_read_of_one_secret_stops_no_other() {
    let mut world = settled_world();
    world.secrets.insert("orders.rds.app".into(), Seen::Unknown("forbidden".into()));
    world.secrets.insert("orders.rds.report".into(), Seen::Absent);
    let plan = planned(&orders(), &world);
    let step =
        ClusterStep::CreateSecret { secret: "orders.rds.report".into(), user: "report".into(), dialect: DIALECT };
    assert!(plan.steps.contains(&Step::Cluster(step)), "{:?}", plan.steps);
    world.secrets.remove("orders.rds.report");
    world.secrets.insert("orders.rds.report".into(), super::secret("report", &["orders"], Some(&super::endpoint())));
    assert_eq!(waits(&planned(&orders(), &world), Concern::Secrets), "ClusterUnavailable");
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
fn i8_an_unknown_state_is_one_that_passes() {
    let mut world = settled_world();
    let mut strange = instance("available");
    strange.status = state("performing-a-state-of-the-future");
    world.instance = Seen::Known(strange);
    let plan = planned(&orders(), &world);
    assert_eq!(waits(&plan, Concern::Instance), "InstanceNotReady");
    assert_eq!(plan.steps, []);
}

#[test]
fn a_predecessors_instance_is_taken_up_when_it_is_named() {
    let mut world = settled_world();
    world.pinned = Some(pinned(None));
    let mut kept = instance("available");
    kept.marks.uid = Some("before".into());
    world.instance = Seen::Known(kept);
    assert_eq!(blocked(&planned(&orders(), &world), Concern::Instance).0, "InstanceOfPredecessor");
    world.object.accept_instance = Some("db-OTHER".into());
    assert_eq!(blocked(&planned(&orders(), &world), Concern::Instance).0, "InstanceOfPredecessor");
    world.object.accept_instance = Some(RESOURCE.into());
    let plan = planned(&orders(), &world);
    assert!(matches!(cloud_steps(&plan)[..], [Request::Mark(_)]), "{:?}", plan.steps);
}

#[test]
fn i1_an_annotation_takes_up_no_instance_of_another_name() {
    let mut world = settled_world();
    let mut theirs = instance("available");
    theirs.marks.name = Some("another".into());
    world.instance = Seen::Known(theirs);
    world.object.accept_instance = Some(RESOURCE.into());
    let plan = planned(&orders(), &world);
    assert_eq!(blocked(&plan, Concern::Instance).0, "InstanceNotOurs");
    assert_eq!(plan.steps, []);
}

#[test]
fn i1_a_creation_whose_answer_was_lost_may_still_appear() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    world.secrets = settled_world().secrets;
    let request = create(&orders(), &world);
    refused(&mut world, request.clone(), ErrorClass::AlreadyExists);
    assert_eq!(waits(&planned(&orders(), &world), Concern::Instance), "NotSeenYet");
    accepted(&mut world, &request, 1, now());
    assert_eq!(waits(&planned(&orders(), &world), Concern::Instance), "ChangeAccepted");
}
