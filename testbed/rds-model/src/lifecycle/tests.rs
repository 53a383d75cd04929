//! What follows what, moment by moment.

use super::*;
use crate::state::Snapshot;
use crate::testing::{at, instance};

fn state(activity: Activity) -> (State, String) {
    let mut state = State::default();
    let mut orders = instance("orders");
    orders.phase = Phase::begin(activity, at(0));
    let resource_id = orders.resource_id.clone();
    state.instances.insert("orders".into(), orders);
    (state, resource_id)
}

#[test]
fn creating_is_followed_by_a_backup_then_available() {
    let (mut state, id) = state(Activity::Creating { from_snapshot: None, point_in_time: None });
    finish(&mut state, &id, at(300));
    assert!(matches!(state.instances["orders"].phase.activity, Activity::BackingUp { .. }));
    assert!(state.snapshots.values().all(|snapshot| !snapshot.available()));
    finish(&mut state, &id, at(360));
    assert_eq!(state.instances["orders"].phase.activity, Activity::Available);
    let snapshot = state.snapshots.values().next().unwrap();
    assert!(snapshot.available() && snapshot.id.starts_with("rds:orders-2026-"));
}

#[test]
fn work_that_was_overtaken_by_a_deletion_does_not_count_for_it() {
    let creating = Activity::Creating { from_snapshot: None, point_in_time: None };
    let (mut state, id) = state(Activity::Deleting { final_snapshot: None, published: false });
    worked(&mut state, &id, &creating, at(1));
    assert!(!state.instances["orders"].phase.worked);
}

#[test]
fn a_password_follows_the_other_changes() {
    let change = Change { allocated_storage: Some(30), master_verifier: Some("SCRAM".into()), ..Change::default() };
    let (mut state, id) = state(Activity::Modifying { change: Box::new(change) });
    finish(&mut state, &id, at(5));
    let orders = &state.instances["orders"];
    assert_eq!(orders.allocated_storage, 30);
    assert_eq!(orders.storage_changed_at, Some(at(5)));
    assert!(matches!(orders.phase.activity, Activity::ResettingCredentials { .. }));
}

#[test]
fn a_full_storage_has_room_when_it_has_grown() {
    let change = Change { allocated_storage: Some(30), ..Change::default() };
    let (mut state, id) = state(Activity::Modifying { change: Box::new(change) });
    state.by_resource_mut(&id).unwrap().ordered.status = Some("storage-full".into());
    finish(&mut state, &id, at(5));
    assert_eq!(state.instances["orders"].ordered.status, None);
}

#[test]
fn deletion_takes_automated_backups_along_when_asked_to() {
    for (asked, left) in [(true, (0, 0)), (false, (1, 1))] {
        let (mut state, id) = state(Activity::Deleting { final_snapshot: None, published: false });
        let orders = state.by_resource_mut(&id).unwrap();
        orders.delete_automated_backups = asked;
        orders.restorable_since = Some(at(0));
        let snapshot = backups::automated(&state, &state.instances["orders"], at(0));
        state.snapshots.insert(snapshot.id.clone(), snapshot);
        finish(&mut state, &id, at(9));
        assert!(state.instances.is_empty());
        assert_eq!((state.snapshots.len(), state.retained.len()), left);
    }
}

#[test]
fn backups_that_are_turned_on_begin_at_once_and_turned_off_are_gone() {
    let retention = |days| Change { backup_retention: Some(days), ..Change::default() };
    let (mut state, id) = state(Activity::Modifying { change: Box::new(retention(0)) });
    state.by_resource_mut(&id).unwrap().restorable_since = Some(at(0));
    let old = backups::automated(&state, &state.instances["orders"], at(0));
    state.snapshots.insert(old.id.clone(), old);
    finish(&mut state, &id, at(5));
    assert_eq!(state.instances["orders"].phase.activity, Activity::Available);
    assert_eq!((state.snapshots.len(), state.instances["orders"].restorable_since), (0, None));

    let orders = state.by_resource_mut(&id).unwrap();
    orders.phase = Phase::begin(Activity::Modifying { change: Box::new(retention(3)) }, at(6));
    finish(&mut state, &id, at(7));
    assert!(matches!(state.instances["orders"].phase.activity, Activity::BackingUp { .. }));
    finish(&mut state, &id, at(8));
    assert_eq!(state.instances["orders"].restorable_since, Some(at(8)), "nothing before it can be restored");
}

#[test]
fn what_waits_is_forgotten_by_a_stop_and_a_week_later_it_starts() {
    let (mut state, id) = state(Activity::Stopping { snapshot: None });
    let class = Some("db.t4g.small".to_owned());
    state.by_resource_mut(&id).unwrap().pending = Change { class, ..Change::default() };
    finish(&mut state, &id, at(150));
    assert!(state.instances["orders"].pending.is_empty());
    assert_eq!(state.instances["orders"].phase.activity, Activity::Stopped);
    finish(&mut state, &id, at(999));
    assert_eq!(state.instances["orders"].phase.activity, Activity::Starting);
}

#[test]
fn a_new_identifier_is_taken_unless_somebody_has_it() {
    let change = Change { new_id: Some("renamed".into()), ..Change::default() };
    let (mut state, id) = state(Activity::Modifying { change: Box::new(change.clone()) });
    finish(&mut state, &id, at(5));
    assert_eq!(state.instances["renamed"].resource_id, id);
    assert!(!state.instances.contains_key("orders"));

    state.instances.insert("orders".into(), instance("orders"));
    let back = Change { new_id: Some("orders".into()), ..change };
    state.instances.get_mut("renamed").unwrap().phase =
        Phase::begin(Activity::Modifying { change: Box::new(back) }, at(6));
    state.instances.get_mut("orders").unwrap().resource_id = "db-OTHER".into();
    finish(&mut state, &id, at(7));
    assert_eq!(state.instances["orders"].resource_id, "db-OTHER");
    assert_eq!(state.instances["renamed"].resource_id, id);
}

#[test]
fn an_ordered_loss_of_a_change_or_a_snapshot_happens_once() {
    let grown =
        || Activity::Modifying { change: Box::new(Change { allocated_storage: Some(30), ..Change::default() }) };
    let (mut state, id) = state(grown());
    state.by_resource_mut(&id).unwrap().restorable_since = Some(at(0));
    state.by_resource_mut(&id).unwrap().ordered.drop_change = Some("Unable to modify".into());
    finish(&mut state, &id, at(5));
    assert_eq!(state.instances["orders"].allocated_storage, 20);
    assert_eq!(state.events.last().unwrap().message, "Unable to modify");
    state.by_resource_mut(&id).unwrap().phase = Phase::begin(grown(), at(6));
    finish(&mut state, &id, at(7));
    assert_eq!(state.instances["orders"].allocated_storage, 30);

    let last = Snapshot {
        id: "last".into(),
        kind: SnapshotKind::Manual,
        ..backups::automated(&state, &instance("orders"), at(8))
    };
    state.snapshots.insert("last".into(), last);
    let orders = state.by_resource_mut(&id).unwrap();
    orders.ordered.fail_snapshot = true;
    let deleting = Activity::Deleting { final_snapshot: Some("last".into()), published: false };
    orders.phase = Phase::begin(deleting, at(8));
    publish_final_snapshot(&mut state, &id, at(9));
    assert_eq!(state.snapshots["last"].status, SnapshotStatus::Failed);
    assert_eq!(state.instances["orders"].phase.activity, Activity::Starting, "its data stay");
    assert!(!state.instances["orders"].ordered.fail_snapshot);
}
