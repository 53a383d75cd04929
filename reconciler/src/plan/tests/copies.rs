//! Copies that are kept: made when their time has come, by the same name whoever makes them, and deleted only when a newer one is there.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::api::RDSDatabaseStatus;

use super::{RESOURCE, at, blocked, cloud_steps, now, on_instance, owner, plan, planned, settled_world, target, waits};
use crate::plan::outcome::{Concern, Outcome};
use crate::plan::world::{KeptCopies, Seen, World};
use crate::plan::{Plan, copies_at_rest};
use crate::providers::{
    DeleteSnapshot, Marks, Quota, Request, Settings, Snapshot, SnapshotKind, TakeSnapshot, aws::state,
};
use crate::status;
use crate::subject::{Subject, Target};

const COPIES: Concern = Concern::Copies;

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

pub(super) fn wish(backup: &Value) -> Target {
    target(&json!({
        "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]}, "backup": backup,
    }))
}

/// One every two days, for four.
fn wanted() -> Target {
    wish(&json!({"every": "48h", "retention": "4d"}))
}

fn name(moment: &str) -> String {
    format!("{}-kept-{moment}", settled_world().identifier)
}

/// Made so many hours ago; the moment that its name tells is the same.
pub(super) fn copy(ago: i64) -> Snapshot {
    let created = at() - hours(ago);
    Snapshot {
        identifier: name(&created.strftime("%Y%m%d-%H%M").to_string()),
        kind: SnapshotKind::Manual,
        status: "available".into(),
        created: Some(created),
        resource_id: Some(RESOURCE.into()),
        marks: Marks { kept: true, ..Marks::from(&owner()) },
    }
}

fn making(ago: i64) -> Snapshot {
    Snapshot { status: "creating".into(), created: None, ..copy(ago) }
}

fn failed(ago: i64) -> Snapshot {
    Snapshot { status: "failed".into(), created: None, ..copy(ago) }
}

pub(super) fn world(snapshots: Vec<Snapshot>) -> World {
    let snapshots = if snapshots.is_empty() { Seen::Absent } else { Seen::Known(snapshots) };
    let quota = Seen::Known(Quota { used: 12, most: 100 });
    let mut world = World { copies: Some(KeptCopies { snapshots, quota }), ..settled_world() };
    on_instance(&mut world, |instance| instance.running.backup_retention_days = Some(4));
    world
}

fn made(plan: &Plan) -> String {
    match cloud_steps(plan)[..] {
        [Request::Snapshot(TakeSnapshot { snapshot, kept: true, owner: whose, .. })] => {
            assert_eq!(*whose, owner());
            snapshot.clone()
        }
        ref other => unreachable!("{other:?}"),
    }
}

fn deleted(plan: &Plan) -> Vec<String> {
    let step = |request: &&Request| match request {
        Request::DeleteSnapshot(DeleteSnapshot { snapshot }) => snapshot.clone(),
        other => unreachable!("{other:?}"),
    };
    cloud_steps(plan).iter().map(step).collect()
}

fn done(plan: &Plan) -> bool {
    matches!(plan.outcome(COPIES), Some(Outcome::Done { .. }))
}

#[test]
fn i5_an_object_that_needs_no_copies_asks_for_none() {
    for backup in [json!({}), json!({"every": "30m", "retention": "35d"}), json!({"every": "24h", "retention": "35d"})]
    {
        let plan = planned(&wish(&backup), &World { copies: None, ..world(Vec::new()) });
        assert_eq!(plan.outcome(COPIES), None, "{backup}");
        let days = if backup.get("retention").is_some() { 35 } else { 7 };
        let mut kept = settled_world();
        on_instance(&mut kept, |instance| instance.running.backup_retention_days = Some(days));
        let plan = planned(&wish(&backup), &kept);
        let Some(Outcome::Done { message }) = plan.outcome(Concern::Backups) else { unreachable!("{plan:?}") };
        assert!(message.starts_with("backups are continuous") && message.contains(&days.to_string()), "{message}");
    }
}

#[test]
fn a_retention_beyond_that_of_automated_backups_is_met_by_copies() {
    let mut world = world(vec![copy(1)]);
    let long = wish(&json!({"every": "5d", "retention": "90d"}));
    let asked = planned(&long, &world);
    let [Request::Modify(modify)] = cloud_steps(&asked)[..] else { unreachable!("{asked:?}") };
    assert_eq!(modify.change, Settings { backup_retention_days: Some(35), ..Settings::default() });
    on_instance(&mut world, |instance| instance.running.backup_retention_days = Some(35));
    let plan = planned(&long, &world);
    assert!(done(&plan) && cloud_steps(&plan).is_empty(), "{plan:?}");
}

#[test]
fn i11_the_first_copy_has_one_name_whoever_asks_for_it() {
    let (first, mut world) = (made(&planned(&wanted(), &world(Vec::new()))), world(Vec::new()));
    // A second before the interval is over, and the one after it.
    let every = 48 * 3600;
    let end = at().as_second().div_euclid(every) * every + every;
    world.at = Timestamp::from_second(end - 1).expect("it is one");
    assert_eq!(made(&planned(&wanted(), &world)), first);
    world.at = Timestamp::from_second(end).expect("it is one");
    assert_ne!(made(&planned(&wanted(), &world)), first);
    assert!(!first.contains("--") && first.len() < 255, "{first}");
}

#[test]
fn i11_the_next_copy_stands_for_the_moment_that_is_due() {
    let wanted = wanted();
    assert!(done(&planned(&wanted, &world(vec![copy(47)]))), "its time has not come");
    let due = |ago| name(&(at() - hours(ago)).strftime("%Y%m%d-%H%M").to_string());
    for (ago, late) in [(48, 0), (49, 1), (95, 47), (97, 1)] {
        let plan = planned(&wanted, &world(vec![copy(ago)]));
        let steps = cloud_steps(&plan);
        let Some(Request::Snapshot(request)) = steps.first() else { unreachable!("{plan:?}") };
        assert_eq!(request.snapshot, due(late), "made {ago} h ago");
    }
    let plan = planned(&wanted, &world(vec![copy(100), making(2)]));
    assert_eq!(waits(&plan, COPIES), "KeepingCopy");
    assert!(cloud_steps(&plan).is_empty(), "one is being made: {plan:?}");
}

#[test]
fn i3_a_copy_goes_only_when_a_newer_one_is_there() {
    let wanted = wanted();
    let old = || copy(200);
    for others in [vec![], vec![making(1)], vec![failed(1)]] {
        let plan = planned(&wanted, &world([vec![old()], others].concat()));
        let deletes = cloud_steps(&plan).into_iter().any(|request| matches!(request, Request::DeleteSnapshot(_)));
        assert!(!deletes, "{plan:?}");
    }
    let plan = planned(&wanted, &world(vec![old(), copy(300), copy(1)]));
    assert_eq!(deleted(&plan), [copy(300).identifier], "one a pass, the oldest first");
    let plan = planned(&wanted, &world(vec![old(), failed(250), copy(1)]));
    assert_eq!(deleted(&plan), [failed(250).identifier]);
    assert!(done(&planned(&wanted, &world(vec![copy(95), copy(1)]))), "it has not been kept for long enough");
}

#[test]
fn i3_a_clock_that_is_wrong_deletes_nothing() {
    let mut world = world(vec![copy(49), copy(1)]);
    world.at = at() + hours(24 * 365 * 10);
    let plan = planned(&wanted(), &world);
    let step = cloud_steps(&plan);
    assert!(matches!(step[..], [Request::Snapshot(_)]), "a copy too early is all that comes of it: {plan:?}");
    // Which is not made again and again, and is not waited for when the clock is right again.
    let too_early = Snapshot { identifier: made(&plan), ..copy(0) };
    let Seen::Known(snapshots) = &mut world.copies.as_mut().expect("the fixture has them").snapshots else {
        unreachable!("the fixture has some")
    };
    snapshots.push(too_early);
    assert!(done(&planned(&wanted(), &world)));
    world.at = at() + hours(48);
    made(&planned(&wanted(), &world));
}

#[test]
fn i10_what_others_have_made_is_never_deleted() {
    let wanted = wanted();
    let old = || copy(300);
    let marks = |change: fn(&mut Marks)| {
        let mut marks = old().marks;
        change(&mut marks);
        marks
    };
    let identifier = settled_world().identifier;
    for foreign in [
        Snapshot { resource_id: Some("db-EARLIER".into()), ..old() },
        Snapshot { resource_id: None, ..old() },
        Snapshot { marks: Marks::default(), ..old() },
        Snapshot { marks: marks(|marks| marks.kept = false), ..old() },
        Snapshot { marks: marks(|marks| marks.namespace = Some("accounts".into())), ..old() },
        Snapshot { marks: marks(|marks| marks.cluster = Some("another".into())), ..old() },
        Snapshot { identifier: format!("{identifier}-before-17-1"), ..old() },
        Snapshot { identifier: format!("{identifier}-final-aaaaaaaa"), ..old() },
        Snapshot { identifier: format!("{identifier}-kept-by-hand"), ..old() },
        Snapshot { identifier: format!("{}-by-hand", old().identifier), ..old() },
        Snapshot { identifier: "of-a-person".into(), ..old() },
    ] {
        let plan = planned(&wanted, &world(vec![foreign.clone(), copy(1)]));
        assert!(done(&plan) && cloud_steps(&plan).is_empty(), "{foreign:?}: {plan:?}");
        // Nor do they count as copies.
        made(&planned(&wanted, &world(vec![Snapshot { created: Some(at()), ..foreign }])));
    }
}

#[test]
fn a_name_that_is_taken_gets_a_number() {
    let first = made(&planned(&wanted(), &world(Vec::new())));
    let of_a_predecessor = Snapshot { identifier: first.clone(), resource_id: Some("db-EARLIER".into()), ..copy(1) };
    assert_eq!(made(&planned(&wanted(), &world(vec![of_a_predecessor]))), format!("{first}-2"));
}

#[test]
fn i9_a_copy_that_fails_is_made_three_times() {
    let first = made(&planned(&wanted(), &world(Vec::new())));
    let with_failed = |count: usize| {
        let name = |number: usize| if number == 1 { first.clone() } else { format!("{first}-{number}") };
        world((1..=count).map(|number| Snapshot { identifier: name(number), ..failed(1) }).collect())
    };
    assert_eq!(made(&planned(&wanted(), &with_failed(2))), format!("{first}-3"));
    let plan = planned(&wanted(), &with_failed(3));
    assert_eq!(blocked(&plan, COPIES).0, "CopyFailed");
    assert!(cloud_steps(&plan).is_empty() && copies_at_rest(&wanted(), &with_failed(3)));
}

#[test]
fn i13_the_last_tenth_of_the_quota_is_left_to_others() {
    let with = |used, most| {
        let mut world = world(vec![copy(50)]);
        world.copies.as_mut().expect("the fixture has them").quota = Seen::Known(Quota { used, most });
        world
    };
    made(&planned(&wanted(), &with(89, 100)));
    for (used, most) in [(90, 100), (120, 100), (9, 10), (0, 0)] {
        let plan = planned(&wanted(), &with(used, most));
        let (reason, message) = blocked(&plan, COPIES);
        assert!(reason == "SnapshotQuotaNearlyFull" && message.contains("ask RDS"), "{message}");
        assert!(cloud_steps(&plan).is_empty(), "{plan:?}");
    }
    // What is old goes all the same.
    let mut full = with(90, 100);
    full.copies.as_mut().expect("the fixture has them").snapshots = Seen::Known(vec![copy(300), copy(50)]);
    assert_eq!(deleted(&planned(&wanted(), &full)), [copy(300).identifier]);
}

#[test]
fn i7_what_stands_in_the_way_is_told_and_takes_nothing_from_ready() {
    let mut busy = world(Vec::new());
    on_instance(&mut busy, |instance| instance.status = state("backing-up"));
    let mut unknown = world(Vec::new());
    unknown.copies = Some(KeptCopies { snapshots: Seen::Unknown("no answer".into()), quota: Seen::Absent });
    let mut unasked = world(Vec::new());
    unasked.copies.as_mut().expect("the fixture has them").quota = Seen::Unknown("no answer".into());
    for (world, reason) in [(busy, "InstanceBusy"), (unknown, "CloudUnavailable"), (unasked, "CloudUnavailable")] {
        let plan = planned(&wanted(), &world);
        assert_eq!(waits(&plan, COPIES), reason);
        assert!(cloud_steps(&plan).is_empty(), "{plan:?}");
        let status = status_of(&wanted(), &world, &RDSDatabaseStatus::default());
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready").expect("it is said");
        assert_ne!(ready.reason, reason);
    }
    let many = wish(&json!({"every": "25h", "retention": "35d"}));
    let (reason, message) = blocked(&planned(&many, &world(Vec::new())), COPIES);
    assert!(reason == "NotScheduled" && message.contains("write 2d or more"), "{message}");
}

fn status_of(target: &Target, world: &World, before: &RDSDatabaseStatus) -> RDSDatabaseStatus {
    let plan = plan(target, world, now());
    status::of(before, Some(1), &Subject::Living(target.clone()), world, &plan, at())
}

#[test]
fn i5_what_advances_by_itself_is_not_written_alone() {
    let mut world = world(vec![copy(40), copy(4)]);
    on_instance(&mut world, |instance| instance.restorable = Some(at() - hours(1)));
    let first = status_of(&wanted(), &world, &RDSDatabaseStatus::default());
    let told = first.backups.clone().expect("it is told");
    let time = |time: &Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>| time.as_ref().map(|time| time.0);
    assert_eq!((told.copies, time(&told.last)), (Some(2), Some(at() - hours(4))));
    assert_eq!(time(&told.next), Some(at() + hours(44)));
    assert_eq!(
        (time(&told.oldest_restorable), time(&told.newest_restorable)),
        (Some(at() - hours(40)), Some(at() - hours(1)))
    );
    on_instance(&mut world, |instance| instance.restorable = Some(at()));
    let again = status_of(&wanted(), &world, &first);
    assert_eq!(again, first);
    on_instance(&mut world, |instance| instance.status = state("backing-up"));
    let otherwise = status_of(&wanted(), &world, &first).backups.expect("it is told");
    assert_eq!(time(&otherwise.newest_restorable), Some(at()), "with what is to be written anyway");
}

#[test]
fn no_moment_is_called_restorable_that_was_never_seen_to_be() {
    let seven = wish(&json!({}));
    let oldest = |before: &RDSDatabaseStatus, days: u32, newest: Timestamp| {
        let mut world = settled_world();
        on_instance(&mut world, |instance| {
            instance.restorable = Some(newest);
            instance.running.backup_retention_days = Some(days);
            instance.running.engine_version = Some(format!("12.{}", newest.as_second() % 97));
        });
        status_of(&seven, &world, before)
    };
    let told = |status: &RDSDatabaseStatus| {
        status.backups.as_ref().and_then(|told| told.oldest_restorable.as_ref()).map(|time| time.0)
    };
    let first = oldest(&RDSDatabaseStatus::default(), 7, at());
    assert_eq!(told(&first), Some(at()));
    let later = oldest(&first, 7, at() + hours(24 * 3));
    assert_eq!(told(&later), Some(at()));
    let full = oldest(&later, 7, at() + hours(24 * 10));
    assert_eq!(told(&full), Some(at() + hours(24 * 3)));
    let longer = oldest(&full, 35, at() + hours(24 * 11));
    assert_eq!(told(&longer), Some(at() + hours(24 * 3)), "what was discarded does not come back");
}

#[test]
fn i7_backups_whose_evidence_stands_still_are_told() {
    let mut world = settled_world();
    on_instance(&mut world, |instance| instance.restorable = Some(at() - hours(2)));
    assert_eq!(blocked(&planned(&wish(&json!({})), &world), Concern::Backups).0, "BackupsBehind");
    on_instance(&mut world, |instance| instance.status = state("stopped"));
    assert!(matches!(planned(&wish(&json!({})), &world).outcome(Concern::Backups), Some(Outcome::Done { .. })));
    on_instance(&mut world, |instance| {
        (instance.status, instance.restorable) = (state("available"), Some(at() - hours(1)));
    });
    assert!(matches!(planned(&wish(&json!({})), &world).outcome(Concern::Backups), Some(Outcome::Done { .. })));
}
