//! Upgrades to another major version: by a word, after a snapshot, and never again and again.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    RESOURCE, accepted, blocked, cloud_steps, now, on_instance, owner, plan, planned, settled_world, target, waits,
};
use crate::plan::outcome::Concern;
use crate::plan::world::{Passage, Seen, World};
use crate::plan::{Reason, SqlFailure};
use crate::providers::{
    Marks, Modify, Request, Settings, Snapshot, SnapshotKind, TakeSnapshot, UpgradeReport, Upgrades,
};
use crate::subject::Target;

const SETTINGS: Concern = Concern::Settings;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("it is one")
}

fn wish(besides: &Value) -> Target {
    let mut spec = json!({
        "version": "17", "allowMajorVersionUpgrade": true, "applyImmediately": true,
        "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
    });
    for (key, value) in besides.as_object().expect("it is a map") {
        spec[key] = value.clone();
    }
    target(&spec)
}

fn upgrades() -> Target {
    wish(&json!({}))
}

/// 12.22 runs, and goes to these.
fn world(targets: &[&str], snapshots: Vec<Snapshot>, report: Option<UpgradeReport>) -> World {
    let targets = targets.iter().map(|&version| version.to_owned()).collect();
    World {
        passage: Some(Passage { at: at(0), upgrades: Seen::Known(Upgrades { targets, report }) }),
        snapshots: if snapshots.is_empty() { Seen::Absent } else { Seen::Known(snapshots) },
        ..settled_world()
    }
}

/// 17 is wanted, at once or in the window.
pub(super) fn rises(at_once: bool) -> Target {
    wish(&json!({"applyImmediately": at_once}))
}

/// What the running version reaches is known, and no snapshot is there.
pub(super) fn before_seventeen() -> World {
    world(&TARGETS, Vec::new(), None)
}

const TARGETS: [&str; 5] = ["12.22-rds.20250101", "13.20", "17.2", "17.6", "17.4"];

fn name(number: u32) -> String {
    format!("{}-before-17-{number}", settled_world().identifier)
}

/// Made so many seconds ago; one that was not is being made.
fn snapshot(number: u32, ago: Option<i64>) -> Snapshot {
    Snapshot {
        identifier: name(number),
        kind: SnapshotKind::Manual,
        status: if ago.is_some() { "available" } else { "creating" }.into(),
        created: ago.map(|ago| at(-ago)),
        resource_id: Some(RESOURCE.into()),
        marks: Marks::default(),
    }
}

fn report(ago: i64) -> UpgradeReport {
    UpgradeReport { written: at(-ago), text: "There are open prepared transactions.".into() }
}

/// On its way to 15: before its snapshot is there, or after its checks have stopped it.
pub(super) fn about_to_rise(on: &mut World, stopped: bool) {
    let made = snapshot(1, stopped.then_some(120));
    let made = Snapshot { identifier: made.identifier.replace("-17-", "-15-"), ..made };
    let World { passage, snapshots, .. } = world(&["13.20", "15.15"], vec![made], stopped.then(|| report(60)));
    (on.passage, on.snapshots) = (passage, snapshots);
}

/// The one request: of what, and to what.
#[track_caller]
fn upgrade(world: &World, target: &Target) -> (String, bool, bool) {
    match cloud_steps(&planned(target, world))[..] {
        [Request::Modify(Modify { change: Settings { engine_version: Some(version), .. }, at_once, major, .. })] => {
            (version.clone(), *at_once, *major)
        }
        ref other => unreachable!("{other:?}"),
    }
}

/// Before, the provider would upgrade by itself: outside the window, without a snapshot of ours, and to a version of its own choice.
#[test]
fn who_leaves_paid_support_by_an_upgrade_leaves_it_when_that_is_done() {
    let leaves = wish(&json!({
        "applyImmediately": false, "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
    }));
    let left = Settings { extended_support: Some(false), ..Settings::default() };
    let asked = |world: &World| match cloud_steps(&planned(&leaves, world))[..] {
        [] => None,
        [Request::Modify(Modify { change, .. })] => Some(change.clone()),
        ref other => unreachable!("{other:?}"),
    };
    let mut waiting = world(&TARGETS, vec![snapshot(1, Some(60))], None);
    on_instance(&mut waiting, |instance| instance.pending.engine_version = Some("17.6".into()));
    assert_eq!(asked(&waiting), None);
    let mut risen = settled_world();
    on_instance(&mut risen, |instance| instance.running.engine_version = Some("17.6".into()));
    assert_eq!(asked(&risen), Some(left));
}

#[test]
fn i3_a_snapshot_of_its_own_comes_before_an_upgrade() {
    let ask = |world: &World| match cloud_steps(&planned(&upgrades(), world))[..] {
        [Request::Snapshot(TakeSnapshot { snapshot, owner: whose, .. })] => {
            assert_eq!(*whose, owner());
            Some(snapshot.clone())
        }
        _ => None,
    };
    assert_eq!(ask(&world(&TARGETS, Vec::new(), None)), Some(name(1)));
    // One of another instance of this name, one that has failed, and one of days ago hold not what this one holds.
    let of_another = Snapshot { resource_id: Some("db-EARLIER".into()), ..snapshot(1, Some(60)) };
    let failed = Snapshot { status: "failed".into(), ..snapshot(2, None) };
    let old = snapshot(3, Some(25 * 3600));
    assert_eq!(ask(&world(&TARGETS, vec![of_another, failed, old], None)), Some(name(4)));
    // It is waited for.
    let making = world(&TARGETS, vec![snapshot(1, None)], None);
    assert_eq!((ask(&making), waits(&planned(&upgrades(), &making), SETTINGS)), (None, "TakingSnapshot"));
    let made = world(&TARGETS, vec![snapshot(1, Some(60))], None);
    assert_eq!(upgrade(&made, &upgrades()), ("17.6".into(), true, true));
    let told = planned(&upgrades(), &made).upgrade.expect("it is told");
    assert_eq!((told.from.as_str(), told.to.as_str(), told.snapshot), ("12.22", "17", name(1)));
    // What cannot be seen is not taken for absent.
    let unseen = World { snapshots: Seen::Unknown("throttled".into()), ..world(&TARGETS, Vec::new(), None) };
    assert_eq!((ask(&unseen), waits(&planned(&upgrades(), &unseen), SETTINGS)), (None, "CloudUnavailable"));
}

#[test]
fn an_upgrade_needs_the_word_and_waits_for_its_window() {
    let made = world(&TARGETS, vec![snapshot(1, Some(60))], None);
    let unallowed = planned(&wish(&json!({"allowMajorVersionUpgrade": false})), &made);
    let (reason, message) = blocked(&unallowed, SETTINGS);
    assert_eq!((reason, cloud_steps(&unallowed).len()), ("MajorVersionDiffers", 0));
    assert!(message.contains("spec.allowMajorVersionUpgrade: true") && message.contains("\"12\""), "{message}");
    let later = wish(&json!({"applyImmediately": false}));
    assert_eq!(upgrade(&made, &later), ("17.6".into(), false, true));
    // From then on it waits, also when its word is gone and its snapshot is old.
    let mut waiting = world(&TARGETS, vec![snapshot(1, Some(6 * 24 * 3600))], None);
    on_instance(&mut waiting, |instance| instance.pending.engine_version = Some("17.6".into()));
    for wish in [later, wish(&json!({"applyImmediately": false, "allowMajorVersionUpgrade": false}))] {
        let plan = planned(&wish, &waiting);
        assert_eq!((waits(&plan, SETTINGS), cloud_steps(&plan).len()), ("WaitingForWindow", 0));
    }
    // Wanted no more, it is taken back.
    let back = wish(&json!({"version": "12", "applyImmediately": false, "allowMajorVersionUpgrade": false}));
    assert_eq!(upgrade(&waiting, &back), ("12.22".into(), true, false));
    // There is no way back from one that was made.
    on_instance(&mut waiting, |instance| {
        instance.pending.engine_version = None;
        instance.running.engine_version = Some("17.6".into());
    });
    let older = planned(&wish(&json!({"version": "16"})), &waiting);
    let (reason, message) = blocked(&older, SETTINGS);
    assert!(reason == "MajorVersionDiffers" && message.contains("set spec.version: \"17\""), "{message}");
}

#[test]
fn the_way_leads_by_a_minor_version_where_it_has_to() {
    let old = world(&["12.22", "12.20", "13.11", "14.8", "15.3"], vec![snapshot(1, Some(60))], None);
    let from = |mut world: World, version: &str| {
        on_instance(&mut world, |instance| instance.running.engine_version = Some(version.into()));
        world
    };
    assert_eq!(upgrade(&from(old, "12.15"), &upgrades()), ("12.22".into(), true, false));
    let exact = wish(&json!({"version": "17.4"}));
    let made = world(&TARGETS, vec![snapshot(1, Some(60))], None);
    assert_eq!(upgrade(&made, &exact).0, "17.4");
    for (wish, targets) in
        [(wish(&json!({"version": "17.5"})), &TARGETS[..]), (upgrades(), &["13.20"]), (upgrades(), &[])]
    {
        let mut world = world(targets, Vec::new(), None);
        on_instance(&mut world, |instance| instance.running.auto_minor_version_upgrade = Some(false));
        let plan = planned(&wish, &world);
        let (reason, message) = blocked(&plan, SETTINGS);
        assert!(reason == "NotOffered" && cloud_steps(&plan).is_empty(), "{message}");
        assert!(targets.iter().all(|version| message.contains(version)), "{message}");
    }
}

#[test]
fn i2_what_is_inside_is_as_declared_before_the_old_version_goes() {
    let mut world = world(&TARGETS, vec![snapshot(1, Some(60))], None);
    let failure = SqlFailure {
        reason: Reason::DatabaseBusy,
        message: "busy".into(),
        needs_person: false,
        master_refused: false,
        retry_at: now() + Duration::from_secs(5),
        attempts: 1,
    };
    world.visit.as_mut().expect("the fixture has one").result = Err(failure);
    let plan = planned(&upgrades(), &world);
    assert_eq!((waits(&plan, SETTINGS), cloud_steps(&plan).len()), ("WaitingForDatabases", 0));
}

#[test]
fn i9_an_upgrade_that_its_checks_stop_is_tried_less_and_less_often() {
    // Written a minute after the snapshot, and looked at so long afterwards.
    let stopped = |snapshot_ago, report_ago| {
        planned(&upgrades(), &world(&TARGETS, vec![snapshot(1, Some(snapshot_ago))], Some(report(report_ago))))
    };
    let plan = stopped(120, 60);
    let (reason, message) = blocked(&plan, SETTINGS);
    assert_eq!((reason, cloud_steps(&plan).len()), ("UpgradeBlocked", 0));
    assert!(message.contains("open prepared transactions") && message.contains("12.22 runs on"), "{message}");
    assert_eq!(cloud_steps(&stopped(960, 900)).len(), 1, "a quarter of an hour later it is tried again");
    // It has failed for two hours.
    assert_eq!(cloud_steps(&stopped(4 * 3600, 2 * 3600 - 10)).len(), 0);
    assert_eq!(cloud_steps(&stopped(4 * 3600, 2 * 3600 + 10)).len(), 1);
    // What was found before the snapshot is past.
    assert_eq!(cloud_steps(&stopped(60, 120)).len(), 1);
}

#[test]
fn i9_an_upgrade_that_fails_for_days_makes_no_snapshot_a_day() {
    const DAY: i64 = 24 * 3600;
    let failing = |snapshots: &[i64], report_ago| {
        let made = (1..).zip(snapshots).map(|(number, ago)| snapshot(number, Some(*ago))).collect();
        planned(&upgrades(), &world(&TARGETS, made, Some(report(report_ago))))
    };
    // Three days after the first of them, the next try and its snapshot come in three days.
    let days = [6 * DAY, 4 * DAY];
    assert_eq!(blocked(&failing(&days, 3 * DAY - 60), SETTINGS).0, "UpgradeBlocked");
    assert!(matches!(cloud_steps(&failing(&days, 3 * DAY + 60))[..], [Request::Snapshot(_)]));
    // One of a year ago was for another try.
    assert_eq!(cloud_steps(&failing(&[365 * DAY, 3600], 1790)).len(), 0);
    assert_eq!(cloud_steps(&failing(&[365 * DAY, 3600], 1810)).len(), 1);
}

#[test]
fn i9_an_upgrade_that_came_to_nothing_is_not_an_outage_again() {
    let mut world = world(&TARGETS, vec![snapshot(1, Some(60))], None);
    let request = cloud_steps(&planned(&upgrades(), &world))[0].clone();
    accepted(&mut world, &request, 1, now());
    let soon = plan(&upgrades(), &world, now() + Duration::from_secs(10));
    assert_eq!(waits(&soon, SETTINGS), "ChangeAccepted");
    let later = plan(&upgrades(), &world, now() + Duration::from_secs(61));
    assert_eq!((blocked(&later, SETTINGS).0, cloud_steps(&later).len()), ("UpgradeBlocked", 0));
}

#[test]
fn i7_what_stops_an_upgrade_stops_no_other_change() {
    let stopped = world(&TARGETS, vec![snapshot(1, Some(120))], Some(report(60)));
    let plan = planned(&wish(&json!({"instanceClass": "db.t4g.small"})), &stopped);
    assert!(
        matches!(
            cloud_steps(&plan)[..],
            [Request::Modify(Modify { change: Settings { instance_class: Some(_), .. }, .. })]
        ),
        "{:?}",
        plan.steps
    );
}
