//! The way out.

use shared::api::DeletionPolicy;
use shared::names;

use super::super::{
    Answer, Asked, CloudStep, ClusterStep, Concern, Departure, Effect, Outcome, Plan, Seen, Step, World, plan_deletion,
};
use super::{RESOURCE, UID, empty_world, instance, now, pinned, settled_world};
use crate::providers::{DeleteInstance, ErrorClass, Snapshot, SnapshotKind};

fn leaving(world: &World, policy: DeletionPolicy) -> Plan {
    plan_deletion(&Departure { policy: Ok(policy), protection: None, paused: false }, world, now())
}

/// The Services are gone already.
fn world() -> World {
    let mut world = settled_world();
    world.object.deleting = true;
    world.service = Seen::Absent;
    world.alias = Some(Seen::Absent);
    world
}

fn final_snapshot(world: &World, status: &str) -> Seen<Vec<Snapshot>> {
    Seen::Known(vec![Snapshot {
        identifier: names::final_snapshot(&world.identifier, UID),
        kind: SnapshotKind::Manual,
        status: status.into(),
        created: None,
        resource_id: Some(RESOURCE.into()),
    }])
}

const LET_GO: Step = Step::Cluster(ClusterStep::RemoveFinalizer);

#[track_caller]
fn reason(plan: &Plan) -> &'static str {
    match plan.outcome(Concern::Deletion) {
        Some(Outcome::Blocked { reason, .. } | Outcome::Wait { reason, .. } | Outcome::Act { reason, .. }) => reason,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn services_go_first() {
    let mut world = world();
    world.service = settled_world().service;
    world.alias = settled_world().alias;
    let plan = leaving(&world, DeletionPolicy::Snapshot);
    assert_eq!(plan.steps.len(), 2);
    assert!(
        plan.steps.iter().all(|step| matches!(step, Step::Cluster(ClusterStep::DeleteService { .. }))),
        "{:?}",
        plan.steps
    );
}

#[test]
fn i3_one_call_deletes_with_a_final_snapshot_and_keeps_the_backups() {
    let world = world();
    let request = DeleteInstance {
        identifier: world.identifier.to_string(),
        final_snapshot: Some(format!("{}-final-0f3c9a6e", world.identifier)),
        delete_automated_backups: false,
    };
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, [Step::Cloud(CloudStep::Delete(request))]);
}

#[test]
fn i3_the_object_goes_when_the_instance_is_gone_and_the_snapshot_is_available() {
    let mut world = world();
    world.instance = Seen::Known(instance("deleting"));
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, []);

    world.instance = Seen::Absent;
    for (snapshots, wanted) in [
        (Seen::Unknown("throttled".into()), "CloudUnavailable"),
        (Seen::Absent, "NoFinalSnapshot"),
        (final_snapshot(&world, "creating"), "WaitingForSnapshot"),
        (final_snapshot(&world, "failed"), "WaitingForSnapshot"),
    ] {
        world.snapshots = snapshots;
        let plan = leaving(&world, DeletionPolicy::Snapshot);
        assert_eq!(plan.steps, [], "{wanted}");
        assert_eq!(reason(&plan), wanted);
    }
    world.snapshots = final_snapshot(&world, "available");
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, [LET_GO]);
}

#[test]
fn i3_an_instance_that_cannot_be_snapshotted_is_not_deleted_without_a_word() {
    for (status, wanted) in [
        ("creating", "InstanceCreating"),
        ("failed", "SnapshotImpossible"),
        ("incompatible-restore", "SnapshotImpossible"),
    ] {
        let mut world = world();
        world.instance = Seen::Known(instance(status));
        let plan = leaving(&world, DeletionPolicy::Snapshot);
        assert_eq!(plan.steps, [], "{status}");
        assert_eq!(reason(&plan), wanted);
        let plan = leaving(&world, DeletionPolicy::Delete);
        assert!(
            matches!(&plan.steps[..], [Step::Cloud(CloudStep::Delete(request))] if request.final_snapshot.is_none())
        );
    }
}

#[test]
fn i3_what_is_unknown_keeps_the_object() {
    let mut world = world();
    world.instance = Seen::Unknown("no credentials".into());
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, []);
    assert_eq!(leaving(&world, DeletionPolicy::Delete).steps, []);
    world.account = Err("no credentials".into());
    assert_eq!(leaving(&world, DeletionPolicy::Delete).steps, []);
    assert_eq!(leaving(&world, DeletionPolicy::Retain).steps, [LET_GO], "i7: this edit leaves the state");
}

#[test]
fn i1_an_instance_of_another_object_survives_the_deletion() {
    let mut world = world();
    let mut theirs = instance("available");
    theirs.tags.clear();
    theirs.resource_id = Some("db-THEIRS".into());
    world.instance = Seen::Known(theirs);
    assert_eq!(leaving(&world, DeletionPolicy::Delete).steps, [LET_GO]);
}

#[test]
fn what_was_never_created_is_let_go() {
    let mut world = empty_world();
    world.object.deleting = true;
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, [LET_GO]);
    world.pinned = Some(pinned(None));
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, [LET_GO]);
}

#[test]
fn i1_a_creation_that_may_still_appear_keeps_the_object() {
    let mut world = empty_world();
    world.object.deleting = true;
    world.pinned = Some(pinned(None));
    world.acting_since = now();
    let plan = leaving(&world, DeletionPolicy::Snapshot);
    assert_eq!(plan.steps, [], "another process may have asked");
    assert_eq!(reason(&plan), "CreationPending");

    world.acting_since = jiff::Timestamp::MIN;
    let answer =
        Answer::Refused { class: ErrorClass::Unreachable, message: "timeout".into(), retry_at: now(), attempts: 1 };
    world.asked.insert(Effect::Create, Asked { request: "CreateDBInstance".into(), at: now(), answer });
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, []);
}

#[test]
fn i1_an_instance_that_lost_its_tags_is_not_let_go_without_a_word() {
    let mut world = world();
    let mut stripped = instance("available");
    stripped.tags.clear();
    world.instance = Seen::Known(stripped);
    let plan = leaving(&world, DeletionPolicy::Snapshot);
    assert_eq!(plan.steps, []);
    assert_eq!(reason(&plan), "TagsMissing");
    assert_eq!(leaving(&world, DeletionPolicy::Retain).steps, [LET_GO]);
}

#[test]
fn protection_is_lifted_by_the_spec_and_by_nothing_else() {
    let mut world = world();
    let mut protected = instance("available");
    protected.deletion_protection = true;
    world.instance = Seen::Known(protected);
    let with = |protection| {
        plan_deletion(&Departure { policy: Ok(DeletionPolicy::Delete), protection, paused: false }, &world, now())
    };
    assert_eq!(with(Some(true)).steps, []);
    assert_eq!(with(None).steps, [], "somebody protected it in the console");
    let unprotected = with(Some(false));
    assert!(
        matches!(&unprotected.steps[..], [Step::Cloud(CloudStep::Modify { request, .. })] if request.deletion_protection == Some(false)),
        "{:?}",
        unprotected.steps
    );
}

#[test]
fn i10_an_edit_on_the_way_out_widens_nothing() {
    let why = "the class standard does not permit this object".to_owned();
    let departure = Departure { policy: Err(why.clone()), protection: None, paused: false };
    let plan = plan_deletion(&departure, &world(), now());
    assert_eq!(plan.steps, []);
    assert_eq!(reason(&plan), "ClassNotPermitted");
}
