//! How one activity follows another: pure changes of the state, without a server, a clock or a task.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{Activity, Category, Instance, Phase, Snapshot, SnapshotKind, Source, State};

/// Marks the real work of the present activity as done.
pub(crate) fn worked(state: &mut State, resource_id: &str, activity: &Activity) {
    // A deletion may have been asked for meanwhile: its work is still ahead.
    if let Some(instance) = state.by_resource_mut(resource_id)
        && instance.phase.activity == *activity
    {
        instance.phase.worked = true;
    }
}

/// A creation that cannot succeed ends in `failed`.
pub(crate) fn failed(state: &mut State, resource_id: &str, reason: &str, now: Timestamp) {
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

/// The changes that waited for the maintenance window begin.
pub(crate) fn begin_pending(state: &mut State, resource_id: &str, now: Timestamp) {
    if let Some(instance) = state.by_resource_mut(resource_id) {
        let change = Box::new(std::mem::take(&mut instance.pending));
        instance.phase = Phase::begin(Activity::Modifying { change }, now);
    }
}

/// The final snapshot is there; the instance goes later.
pub(crate) fn publish_final_snapshot(state: &mut State, resource_id: &str, now: Timestamp) {
    let Some(instance) = state.by_resource_mut(resource_id) else {
        return;
    };
    let Activity::Deleting { final_snapshot: Some(id), published } = &mut instance.phase.activity else {
        return;
    };
    *published = true;
    let id = id.clone();
    complete_snapshot(state, &id, now);
}

/// Ends the present activity and begins the next one.
pub(crate) fn finish(state: &mut State, resource_id: &str, now: Timestamp) {
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
            if instance.backup_retention == 0 {
                rest(instance, Activity::Available, now);
            } else {
                let snapshot = automated_snapshot(instance, now);
                let activity = Activity::BackingUp { snapshot: snapshot.id.clone() };
                instance.phase = Phase::begin(activity, now);
                state.snapshots.insert(snapshot.id.clone(), snapshot);
            }
            state.record(source, category, message, now);
        }
        Activity::BackingUp { snapshot } => {
            rest(instance, Activity::Available, now);
            complete_snapshot(state, &snapshot, now);
            let message = "Finished DB Instance backup";
            state.record(source, Category::Backup, message, now);
        }
        Activity::Modifying { change } => {
            instance.apply(&change, now);
            match change.master_verifier.clone() {
                Some(verifier) => {
                    let activity = Activity::ResettingCredentials { verifier };
                    instance.phase = Phase::begin(activity, now);
                }
                None => rest(instance, Activity::Available, now),
            }
            let message = "Finished applying modification";
            state.record(source, Category::ConfigurationChange, message, now);
        }
        Activity::ResettingCredentials { .. } => {
            rest(instance, Activity::Available, now);
            let message = "The master user password has been reset";
            state.record(source, Category::ConfigurationChange, message, now);
        }
        Activity::Rebooting => {
            rest(instance, Activity::Available, now);
            state.record(source, Category::Availability, "DB instance restarted", now);
        }
        Activity::Stopping => {
            rest(instance, Activity::Stopped, now);
            state.record(source, Category::Notification, "DB instance stopped", now);
        }
        Activity::Starting => {
            rest(instance, Activity::Available, now);
            state.record(source, Category::Notification, "DB instance started", now);
        }
        Activity::Deleting { .. } => {
            let (id, automated) = (instance.id.clone(), instance.delete_automated_backups);
            state.instances.remove(&id);
            if automated {
                state.snapshots.retain(|_, snapshot| {
                    snapshot.kind != SnapshotKind::Automated || snapshot.source.resource_id != resource_id
                });
            }
            state.record(source, Category::Deletion, "DB instance deleted", now);
        }
        Activity::Available | Activity::Stopped | Activity::Failed => {}
    }
}

fn rest(instance: &mut Instance, activity: Activity, now: Timestamp) {
    instance.phase = Phase { activity, since: now, worked: true };
}

fn complete_snapshot(state: &mut State, id: &str, now: Timestamp) {
    let Some(snapshot) = state.snapshots.get_mut(id) else {
        return;
    };
    snapshot.available = true;
    let message = match snapshot.kind {
        SnapshotKind::Manual => "Manual snapshot created",
        SnapshotKind::Automated => "Automated snapshot created",
    };
    let source = Source::DbSnapshot(id.to_owned());
    state.record(source, Category::Creation, message, now);
}

/// The first daily backup. Its name has the minute in it, as RDS gives it.
fn automated_snapshot(instance: &Instance, now: Timestamp) -> Snapshot {
    let minute = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d-%H-%M");
    Snapshot {
        id: format!("rds:{}-{minute}", instance.id),
        kind: SnapshotKind::Automated,
        created_at: now,
        available: false,
        tags: if instance.copy_tags_to_snapshot { instance.tags.clone() } else { crate::model::Tags::new() },
        source: instance.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Change;
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
        assert!(state.snapshots.values().all(|snapshot| !snapshot.available));
        finish(&mut state, &id, at(360));
        assert_eq!(state.instances["orders"].phase.activity, Activity::Available);
        let snapshot = state.snapshots.values().next().unwrap();
        assert!(snapshot.available && snapshot.id.starts_with("rds:orders-2026-"));
    }

    #[test]
    fn work_that_was_overtaken_by_a_deletion_does_not_count_for_it() {
        let creating = Activity::Creating { from_snapshot: None };
        let (mut state, id) = state(Activity::Deleting { final_snapshot: None, published: false });
        worked(&mut state, &id, &creating);
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
    fn deletion_takes_automated_backups_along_when_asked_to() {
        for (asked, left) in [(true, 0), (false, 1)] {
            let (mut state, id) = state(Activity::Deleting { final_snapshot: None, published: false });
            let orders = state.by_resource_mut(&id).unwrap();
            orders.delete_automated_backups = asked;
            let snapshot = automated_snapshot(orders, at(0));
            state.snapshots.insert(snapshot.id.clone(), snapshot);
            finish(&mut state, &id, at(9));
            assert_eq!((state.instances.len(), state.snapshots.len()), (0, left));
        }
    }
}
