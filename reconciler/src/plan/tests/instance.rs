//! The instance: made once, never twice, never in place of a lost one.

use jiff::SignedDuration;
use serde_json::json;

use super::super::{CloudStep, ClusterStep, Concern, Effect, Seen, Step};
use super::{
    RESOURCE, accepted, blocked, cloud_steps, empty_world, instance, now, orders, pinned, planned, refused, secret,
    settled_world, target, waits,
};
use crate::providers::{ErrorClass, InstanceState};

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
            let plan = planned(&target(&json!({"size": "100GB"})), &world);
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
    strange.status = InstanceState::new("performing-a-state-of-the-future");
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
