//! How one activity follows another: pure changes of the state, without a server, a clock or a task.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::backups;
use crate::state::{
    Activity, Category, Change, Instance, Phase, RetainedBackup, SnapshotKind, SnapshotStatus, Source, State, news,
};
use crate::windows;

/// Marks the real work of the present activity as done.
pub fn worked(state: &mut State, resource_id: &str, activity: &Activity, now: Timestamp) {
    // A deletion may have been asked for meanwhile: its work is still ahead.
    let instance = state.by_resource_mut(resource_id).filter(|instance| instance.phase.activity == *activity);
    let Some(instance) = instance else {
        return;
    };
    instance.phase.worked = true;
    let (source, begun) = (Source::DbInstance(instance.id.clone()), news::begun(instance));
    state.report(&source, begun, now);
    if let Activity::BackingUp { snapshot } = activity
        && let Some(kind) = state.snapshots.get(snapshot).map(|snapshot| snapshot.kind)
    {
        let message = match kind {
            SnapshotKind::Manual => "Creating manual snapshot",
            SnapshotKind::Automated => "Creating automated snapshot",
        };
        state.record(Source::DbSnapshot(snapshot.clone()), Category::Creation, message, now);
    }
}

/// A creation that cannot succeed ends in `failed`.
pub fn failed(state: &mut State, resource_id: &str, reason: &str, now: Timestamp) {
    let Some(instance) = state.by_resource_mut(resource_id) else {
        return;
    };
    let source = Source::DbInstance(instance.id.clone());
    if matches!(instance.phase.activity, Activity::Creating { .. }) {
        rest(instance, Activity::Failed, now);
    }
    // Work that fails again for the same reason is no news.
    let known = state.events.iter().rfind(|event| event.source == source);
    if known.is_none_or(|event| event.message != reason) {
        state.record(source, Category::Failure, reason, now);
    }
}

/// The changes that waited for the maintenance window begin where it is open, and maintenance that is due.
pub fn begin_pending(state: &mut State, resource_id: &str, now: Timestamp) {
    if let Some(instance) = state.by_resource_mut(resource_id) {
        let window = instance.maintenance_window.clone();
        let open = windows::opens(&window, now) <= now;
        let mut change = if open { std::mem::take(&mut instance.pending) } else { Change::default() };
        instance.maintain(&mut change, |_, pending| pending.applied_at(&window, now).is_some_and(|at| at <= now));
        if change.is_empty() {
            return;
        }
        let change = Box::new(change);
        let reload = change.needs_restart() && !change.is_major_upgrade(instance.engine_version);
        instance.phase = Phase::begin(Activity::Modifying { change }, now);
        if reload {
            state.load_parameters(resource_id);
        }
    }
}

/// The running server has these parameters now.
pub fn parameters_applied(state: &mut State, resource_id: &str, values: BTreeMap<String, String>, now: Timestamp) {
    // A reboot that was asked for meanwhile brings later ones.
    let resting = |instance: &&mut Instance| instance.phase.activity == Activity::Available;
    if let Some(instance) = state.by_resource_mut(resource_id).filter(resting) {
        instance.running.values = values;
        state.compare_parameters(resource_id, now);
    }
}

/// The final snapshot is there; the instance goes later. Where it failed, the deletion is off: the data stay where they are.
pub fn publish_final_snapshot(state: &mut State, resource_id: &str, now: Timestamp) {
    let Some(instance) = state.by_resource_mut(resource_id) else {
        return;
    };
    let Activity::Deleting { final_snapshot: Some(id), published } = &mut instance.phase.activity else {
        return;
    };
    *published = true;
    let id = id.clone();
    if instance.ordered.fail_snapshot {
        instance.phase = Phase::begin(Activity::Starting, now);
        state.load_parameters(resource_id);
    }
    complete_snapshot(state, &id, now);
}

/// Ends the present activity and begins the next one.
pub fn finish(state: &mut State, resource_id: &str, now: Timestamp) {
    end(state, resource_id, now);
    state.compare_parameters(resource_id, now);
}

fn end(state: &mut State, resource_id: &str, now: Timestamp) {
    let Some(instance) = state.by_resource_mut(resource_id) else {
        return;
    };
    let source = Source::DbInstance(instance.id.clone());
    match instance.phase.activity.clone() {
        Activity::Creating { from_snapshot } => {
            let (category, message) = match from_snapshot {
                None => (Category::Creation, "DB instance created".to_owned()),
                Some(id) => (Category::Restoration, format!("Restored from snapshot {id}")),
            };
            instance.created_at = now;
            settle(state, resource_id, now);
            state.record(source, category, message, now);
        }
        Activity::BackingUp { snapshot } => {
            rest(instance, Activity::Available, now);
            complete_snapshot(state, &snapshot, now);
            let message = "Finished DB Instance backup";
            state.record(source, Category::Backup, message, now);
        }
        Activity::Modifying { .. } | Activity::ResettingCredentials { .. }
            if instance.ordered.drop_change.is_some() =>
        {
            let event = instance.ordered.drop_change.take().unwrap_or_default();
            rest(instance, Activity::Available, now);
            state.record(source, Category::Failure, event, now);
        }
        Activity::Modifying { .. } if instance.failed_upgrade.is_some() => {
            let said = instance.failed_upgrade.take().map(|failure| news::upgrade_failed(&failure));
            let before = instance.major_upgrade().map(|target| backups::before_upgrade(instance, target));
            rest(instance, Activity::Available, now);
            if let Some(snapshot) = before {
                complete_snapshot(state, &snapshot, now);
            }
            state.report(&source, said.into_iter().collect(), now);
        }
        Activity::Modifying { change } => {
            let said = news::applied(&change, instance);
            let upgraded = change.engine_version.filter(|_| change.is_major_upgrade(instance.engine_version));
            let before = upgraded.map(|target| backups::before_upgrade(instance, target));
            if upgraded.is_some() {
                // Another server has the data now, and nothing leads from the old one's log to it: a backup follows.
                instance.restorable_since = None;
            }
            instance.apply(&change, now);
            if change.allocated_storage.is_some() {
                // There is room again [RDS User Guide, "Storage-full"].
                instance.ordered.status.take_if(|shown| shown == "storage-full");
            }
            match change.master_verifier.clone() {
                Some(verifier) => {
                    let activity = Activity::ResettingCredentials { verifier };
                    instance.phase = Phase::begin(activity, now);
                }
                None => settle(state, resource_id, now),
            }
            state.report(&source, said, now);
            if let Some(snapshot) = before {
                complete_snapshot(state, &snapshot, now);
                state.load_parameters(resource_id);
            }
            if let Some(new) = change.new_id {
                rename(state, resource_id, new, now);
            }
        }
        Activity::ResettingCredentials { .. } => {
            settle(state, resource_id, now);
            let message = "Reset master credentials";
            state.record(source, Category::ConfigurationChange, message, now);
        }
        Activity::Rebooting => {
            rest(instance, Activity::Available, now);
            state.record(source, Category::Availability, "DB instance restarted", now);
        }
        Activity::Stopping { snapshot } => {
            // What waited for the maintenance window is forgotten [RDS User Guide, "Stopping a DB instance"].
            instance.pending = Change::default();
            rest(instance, Activity::Stopped, now);
            if let Some(id) = snapshot {
                complete_snapshot(state, &id, now);
            }
            state.record(source, Category::Notification, "DB instance stopped", now);
        }
        Activity::Starting => {
            rest(instance, Activity::Available, now);
            state.record(source, Category::Notification, "DB instance started", now);
        }
        Activity::Deleting { .. } => {
            let (id, retained) = (instance.id.clone(), backups::retained(instance));
            if let Some(source) = state.instances.remove(&id).filter(|_| retained) {
                state.retained.insert(resource_id.to_owned(), RetainedBackup { source, since: now });
            } else {
                backups::forget(state, resource_id);
            }
            state.record(source, Category::Deletion, "DB instance deleted", now);
        }
        Activity::Stopped => {
            instance.phase = Phase::begin(Activity::Starting, now);
            state.load_parameters(resource_id);
            let message = "DB instance is being started due to it exceeding the maximum allowed time being stopped.";
            state.record(source, Category::Notification, message, now);
        }
        Activity::Available | Activity::Failed => {}
    }
}

/// An instance comes to rest. Where backups have been turned on, the first one follows at once; where they have been turned off, there are
/// none any more.
fn settle(state: &mut State, resource_id: &str, now: Timestamp) {
    let Some(instance) = state.by_resource_mut(resource_id) else {
        return;
    };
    rest(instance, Activity::Available, now);
    if instance.backup_retention == 0 {
        backups::forget(state, resource_id);
    } else if instance.restorable_since.is_none() {
        let instance = instance.clone();
        let backup = backups::automated(state, &instance, now);
        if let Some(instance) = state.by_resource_mut(resource_id) {
            instance.phase = Phase::begin(Activity::BackingUp { snapshot: backup.id.clone() }, now);
        }
        state.snapshots.insert(backup.id.clone(), backup);
    }
}

/// An instance gets another identifier, unless somebody else has it by now. Its snapshots keep the one they were made under.
fn rename(state: &mut State, resource_id: &str, new: String, now: Timestamp) {
    let Some(old) = state.by_resource(resource_id).map(|instance| instance.id.clone()) else {
        return;
    };
    if state.instances.contains_key(&new) {
        let message = format!("Cannot rename DB instance {old} to {new}: the identifier is in use");
        state.record(Source::DbInstance(old), Category::Failure, message, now);
        return;
    }
    if let Some(mut instance) = state.instances.remove(&old) {
        instance.id.clone_from(&new);
        state.instances.insert(new.clone(), instance);
        let message = format!("Renamed instance from {old} to {new}");
        state.record(Source::DbInstance(new), Category::ConfigurationChange, message, now);
    }
}

fn rest(instance: &mut Instance, activity: Activity, now: Timestamp) {
    instance.phase = Phase { activity, since: now, worked: true };
}

/// Ends a snapshot, well or, where that was ordered, not.
fn complete_snapshot(state: &mut State, id: &str, now: Timestamp) {
    let Some(snapshot) = state.snapshots.get_mut(id) else {
        return;
    };
    let (kind, resource_id) = (snapshot.kind, snapshot.source.resource_id.clone());
    let mut instance = state.instances.values_mut().find(|instance| instance.resource_id == resource_id);
    let fails = instance.as_mut().is_some_and(|instance| std::mem::take(&mut instance.ordered.fail_snapshot));
    let source = Source::DbSnapshot(id.to_owned());
    if fails {
        snapshot.status = SnapshotStatus::Failed;
        state.record(source, Category::Failure, "The snapshot failed", now);
        return;
    }
    snapshot.status = SnapshotStatus::Available;
    let message = match kind {
        SnapshotKind::Manual => "Manual snapshot created",
        SnapshotKind::Automated => "Automated snapshot created",
    };
    if let Some(instance) = instance.filter(|_| kind == SnapshotKind::Automated) {
        instance.restorable_since.get_or_insert(now);
    }
    state.record(source, Category::Creation, message, now);
}

#[cfg(test)]
mod tests {
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
        let (mut state, id) = state(Activity::Creating { from_snapshot: None });
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
        let creating = Activity::Creating { from_snapshot: None };
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
}
