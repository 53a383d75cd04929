//! The way out.

use shared::api::DeletionPolicy;
use shared::names;

use super::{
    RESOURCE, UID, departure, empty_world, final_name, instance, leave, now, on_instance, pinned, settled_world,
};
use crate::clock::Moment;
use crate::plan::ledger::Ledger;
use crate::plan::merge::Plan;
use crate::plan::outcome::{Concern, Outcome};
use crate::plan::step::{ClusterStep, Step};
use crate::plan::world::{Seen, World};
use crate::providers::{Delete, ErrorClass, Marks, Request, Snapshot, SnapshotKind};
use crate::subject::{Departure, Refusal};

fn leaving(world: &World, policy: DeletionPolicy) -> Plan {
    leave(&departure(policy), world)
}

fn delete(world: &World, snapshot: String) -> Request {
    let identifier = world.identifier.to_string();
    Request::Delete(Delete { identifier, final_snapshot: Some(snapshot), delete_automated_backups: false })
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
        identifier: final_name(world),
        kind: SnapshotKind::Manual,
        status: status.into(),
        created: None,
        resource_id: Some(RESOURCE.into()),
        marks: Marks::default(),
    }])
}

const LET_GO: Step = Step::Cluster(ClusterStep::RemoveFinalizer);

#[track_caller]
fn reason(plan: &Plan) -> &'static str {
    match plan.outcome(Concern::Deletion) {
        Some(Outcome::Blocked { reason, .. } | Outcome::Wait { reason, .. } | Outcome::Act { reason, .. }) => {
            reason.as_str()
        }
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
    let request = delete(&world, final_name(&world));
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, [Step::Cloud(request)]);
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
        (final_snapshot(&world, "failed"), "FinalSnapshotFailed"),
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
fn i3_an_instance_that_is_not_seen_for_a_moment_is_not_left_behind() {
    let mut world = World { absent_since: Some(now()), instance: Seen::Absent, ..world() };
    let plan = leaving(&world, DeletionPolicy::Delete);
    assert_eq!((reason(&plan), plan.steps), ("DeletingInstance", vec![]), "a look can be older than the instance");
    world.absent_since = Some(Moment::LONG_AGO);
    assert_eq!(leaving(&world, DeletionPolicy::Delete).steps, [LET_GO]);
    world.absent_since = Some(now());
    let gone =
        Delete { identifier: world.identifier.to_string(), final_snapshot: None, delete_automated_backups: true };
    world.ledger.done(&Step::Cloud(Request::Delete(gone)), now());
    assert_eq!(leaving(&world, DeletionPolicy::Delete).steps, [LET_GO], "its deletion was accepted");

    let mut taken = World { absent_since: None, ..self::world() };
    let mut namesakes = instance("available");
    (namesakes.resource_id, namesakes.marks.uid) = (Some("db-ANOTHER".into()), Some("another".into()));
    taken.instance = Seen::Known(namesakes);
    assert_eq!(leaving(&taken, DeletionPolicy::Delete).steps, [LET_GO], "another one has its name");
}

#[test]
fn i1_an_instance_that_was_anothers_a_moment_ago_is_not_deleted() {
    let mut world = World { instance: Seen::Known(instance("available")), ..world() };
    for policy in [DeletionPolicy::Snapshot, DeletionPolicy::Delete] {
        world.estranged_at = Some(now());
        let plan = leaving(&world, policy);
        assert_eq!(
            (reason(&plan), plan.steps),
            ("DeletingInstance", vec![]),
            "a look can be older than the one before"
        );
        world.estranged_at = Some(Moment::LONG_AGO);
        assert_eq!(leaving(&world, policy).steps.len(), 1);
    }
    world.estranged_at = Some(now());
    assert_eq!(leaving(&world, DeletionPolicy::Retain).steps.len(), 1, "it is only marked as left");
}

#[test]
fn i7_a_final_snapshot_that_does_not_end_holds_the_object_only_until_an_edit() {
    let mut world = world();
    world.instance = Seen::Absent;
    world.snapshots = final_snapshot(&world, "creating");
    let plan = leaving(&world, DeletionPolicy::Snapshot);
    let message = plan.outcome(Concern::Deletion).expect("it is leaving").message();
    assert!(message.contains("deletionPolicy: Retain") && !message.contains("Delete"), "{message}");
    assert_eq!(leaving(&world, DeletionPolicy::Retain).steps, [LET_GO]);
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
        assert!(matches!(&plan.steps[..], [Step::Cloud(Request::Delete(request))] if request.final_snapshot.is_none()));
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
    theirs.marks = Marks::default();
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

    world.acting_since = super::super::Moment::LONG_AGO;
    let request = super::create(&super::orders(), &World { secrets: settled_world().secrets, ..world.clone() });
    super::refused(&mut world, request, ErrorClass::Unreachable);
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, []);
}

#[test]
fn i1_an_instance_that_lost_its_tags_is_not_let_go_without_a_word() {
    let mut world = world();
    let mut stripped = instance("available");
    stripped.marks = Marks::default();
    world.instance = Seen::Known(stripped);
    let plan = leaving(&world, DeletionPolicy::Snapshot);
    assert_eq!(plan.steps, []);
    assert_eq!(reason(&plan), "TagsMissing");
    assert_eq!(leaving(&world, DeletionPolicy::Retain).steps, [LET_GO]);
}

#[test]
fn what_stays_on_purpose_is_marked_and_the_object_goes_whatever_comes_of_that() {
    let mut world = world();
    let plan = leaving(&world, DeletionPolicy::Retain);
    let [Step::Cloud(request @ Request::Mark(marks))] = &plan.steps[..] else { unreachable!("{:?}", plan.steps) };
    assert_eq!((marks.retained, &marks.owner), (Some(true), &None));
    super::refused(&mut world, request.clone(), ErrorClass::Unauthorized);
    assert_eq!(leaving(&world, DeletionPolicy::Retain).steps, [LET_GO]);
    world.ledger = Ledger::default();
    let mut marked = instance("available");
    marked.marks.retained = Some(true);
    world.instance = Seen::Known(marked);
    assert_eq!(leaving(&world, DeletionPolicy::Retain).steps, [LET_GO]);
}

#[test]
fn protection_is_lifted_by_the_spec_and_by_nothing_else() {
    let mut world = world();
    let mut protected = instance("available");
    protected.running.deletion_protection = Some(true);
    world.instance = Seen::Known(protected);
    let with = |protection| leave(&Departure { protection, ..departure(DeletionPolicy::Delete) }, &world);
    assert_eq!(with(Some(true)).steps, []);
    assert_eq!(with(None).steps, [], "somebody protected it in the console");
    let unprotected = with(Some(false));
    assert!(
        matches!(&unprotected.steps[..], [Step::Cloud(Request::Modify(request))] if request.change.deletion_protection == Some(false)),
        "{:?}",
        unprotected.steps
    );
}

#[test]
fn i10_an_edit_on_the_way_out_widens_nothing() {
    let refusal = Refusal::ClassNotPermitted { class: "standard".into(), why: "Delete is not among Snapshot".into() };
    let departure = Departure { policy: Err(refusal), ..departure(DeletionPolicy::Snapshot) };
    let plan = leave(&departure, &world());
    assert_eq!(plan.steps, []);
    assert_eq!(reason(&plan), "ClassNotPermitted");
}

/// A snapshot of the instance, under a name and of a time.
fn snapshot(identifier: &str, resource_id: &str, created: Option<&str>) -> Snapshot {
    Snapshot {
        identifier: identifier.into(),
        kind: SnapshotKind::Manual,
        status: "available".into(),
        created: created.map(|time| time.parse().expect("the fixture is a time")),
        resource_id: Some(resource_id.into()),
        marks: Marks::default(),
    }
}

#[test]
fn i3_a_snapshot_counts_by_its_instance_and_by_this_deletion() {
    let mut world = world();
    world.instance = Seen::Absent;
    world.object.deleted_at = Some("2026-11-29T12:00:00Z".parse().expect("the fixture is a time"));
    let asked = final_name(&world);
    let old = names::final_snapshot_of_v0_1_0(&world.identifier, UID);
    let (before, after) = (Some("2026-11-29T11:59:00Z"), Some("2026-11-29T12:01:00Z"));
    let table = [
        (snapshot(&asked, RESOURCE, after), true, "the name that was asked for"),
        (snapshot(&format!("{asked}-2"), RESOURCE, None), true, "the name that followed one that was taken"),
        (snapshot(&old, RESOURCE, None), true, "the name that v0.1.0 asked for"),
        (snapshot("by-hand", RESOURCE, after), true, "made by a person since the deletion"),
        (snapshot("by-hand", RESOURCE, before), false, "an older one by a person"),
        (snapshot(&asked, "db-ANOTHER", after), false, "the same UID twice: an etcd was restored"),
        (snapshot(&old, "db-ANOTHER", after), false, "the same, made by v0.1.0"),
        (snapshot(&format!("{asked}2"), RESOURCE, before), false, "a name that only begins alike"),
    ];
    for (snapshot, counts, what) in table {
        world.snapshots = Seen::Known(vec![snapshot]);
        let plan = leaving(&world, DeletionPolicy::Snapshot);
        assert_eq!(plan.steps == [LET_GO], counts, "{what}");
    }
}

#[test]
fn i3_an_instance_of_somebody_elses_under_its_name_is_no_final_snapshot() {
    let mut world = world();
    let mut foreign = instance("available");
    foreign.resource_id = Some("db-ANOTHER".into());
    foreign.marks.cluster = Some("another".into());
    world.instance = Seen::Known(foreign);
    world.snapshots = Seen::Absent;
    let plan = leaving(&world, DeletionPolicy::Snapshot);
    assert_eq!((plan.steps.as_slice(), reason(&plan)), (&[][..], "NoFinalSnapshot"));
    assert_eq!(leaving(&world, DeletionPolicy::Delete).steps, [LET_GO]);
    world.snapshots = final_snapshot(&world, "available");
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, [LET_GO]);

    world.pinned = Some(pinned(None));
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, [LET_GO], "its own was never seen");
}

/// A restored instance that nobody accepted yet goes with its object: then its snapshot is the one that is waited for.
#[test]
fn i3_what_goes_with_the_object_is_what_its_snapshot_is_of() {
    let mut world = world();
    let mut restored = instance("deleting");
    restored.resource_id = Some("db-RESTORED".into());
    world.instance = Seen::Known(restored);
    world.pinned = leaving(&world, DeletionPolicy::Snapshot).pin;
    world.instance = Seen::Absent;
    let name = names::final_snapshots(&world.identifier, UID, "db-RESTORED").next().expect("there is no end of names");
    world.snapshots = Seen::Known(vec![snapshot(&name, "db-RESTORED", None)]);
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, [LET_GO]);
}

#[test]
fn i3_a_name_that_is_taken_gets_another_suffix() {
    let name = |plan: &Plan| match &plan.steps[..] {
        [Step::Cloud(Request::Delete(request))] => request.final_snapshot.clone(),
        other => unreachable!("{other:?}"),
    };
    let mut world = world();
    let first = final_name(&world);
    world.snapshots = Seen::Known(vec![snapshot(&first, "db-ANOTHER", None)]);
    assert_eq!(name(&leaving(&world, DeletionPolicy::Snapshot)), Some(format!("{first}-2")));
    // One that the list does not show, because its instance had another name.
    let request = delete(&world, format!("{first}-2"));
    super::refused(&mut world, request, ErrorClass::AlreadyExists);
    assert_eq!(name(&leaving(&world, DeletionPolicy::Snapshot)), Some(format!("{first}-3")));
    world.snapshots = Seen::Unknown("throttled".into());
    assert_eq!(leaving(&world, DeletionPolicy::Snapshot).steps, []);
}

#[test]
fn i3_final_snapshots_that_fail_again_and_again_are_told() {
    let mut world = world();
    let first = final_name(&world);
    let failed = |name: String| Snapshot { status: "failed".into(), ..snapshot(&name, RESOURCE, None) };
    let names = [first.clone(), format!("{first}-2"), format!("{first}-3")];
    world.snapshots = Seen::Known(names[..2].iter().cloned().map(failed).collect());
    assert!(matches!(&leaving(&world, DeletionPolicy::Snapshot).steps[..], [Step::Cloud(Request::Delete(_))]));
    world.snapshots = Seen::Known(names.into_iter().map(failed).collect());
    let plan = leaving(&world, DeletionPolicy::Snapshot);
    assert_eq!((plan.steps.len(), reason(&plan)), (0, "FinalSnapshotFailed"));
}

/// Every message of a deletion that waits for a person.
fn messages(allowed: &[DeletionPolicy]) -> Vec<String> {
    let mut worlds = Vec::new();
    for word in ["failed", "storage-full", "inaccessible-encryption-credentials", "incompatible-restore"] {
        worlds.push(World { instance: Seen::Known(instance(word)), ..world() });
    }
    let mut stripped = instance("available");
    stripped.marks = Marks::default();
    worlds.push(World { instance: Seen::Known(stripped), ..world() });
    for snapshots in [Seen::Absent, final_snapshot(&world(), "failed")] {
        worlds.push(World { instance: Seen::Absent, snapshots, ..world() });
    }
    worlds.push(World { account: Err("no credentials".into()), ..world() });
    let departure = Departure { allowed: allowed.to_vec(), ..departure(DeletionPolicy::Snapshot) };
    let message = |world: &World| match leave(&departure, world).outcome(Concern::Deletion) {
        Some(Outcome::Blocked { message, .. } | Outcome::Wait { message, .. }) => message.clone(),
        other => unreachable!("{other:?}"),
    };
    worlds.iter().map(message).collect()
}

#[test]
fn i7_no_way_out_is_advised_that_the_class_does_not_allow() {
    for message in messages(&DeletionPolicy::ALL) {
        assert!(message.contains("or set deletionPolicy: "), "{message}");
    }
    for message in messages(&[DeletionPolicy::Snapshot]) {
        assert!(!message.contains("or set deletionPolicy: ") && message.contains("ask the platform"), "{message}");
    }
}

#[test]
fn i3_nobody_is_advised_to_remove_a_snapshot() {
    for message in messages(&DeletionPolicy::ALL) {
        assert!(!["remove", "delete the snapshot"].iter().any(|word| message.contains(word)), "{message}");
    }
}

#[test]
fn what_people_made_of_an_instance_stays_and_is_told() {
    let mut world = World { moved_to: Some("orders-old1".into()), ..world() };
    on_instance(&mut world, |instance| instance.replicas = vec!["reports".into(), "search".into()]);
    let plan = leaving(&world, DeletionPolicy::Snapshot);
    assert_eq!(plan.steps, [Step::Cloud(delete(&world, final_name(&world)))]);
    let told = plan.outcomes[0].1.message();
    assert!(told.contains("which stay, and cost: reports, search") && told.contains("orders-old1"), "{told}");
}

#[test]
fn a_deletion_waits_while_rds_is_busy_with_the_instance() {
    for word in ["backing-up", "modifying", "upgrading", "starting", "a-state-of-the-future"] {
        let mut world = world();
        world.instance = Seen::Known(instance(word));
        let plan = leaving(&world, DeletionPolicy::Snapshot);
        assert_eq!((plan.steps.len(), reason(&plan)), (0, "InstanceBusy"), "{word}");
    }
}
