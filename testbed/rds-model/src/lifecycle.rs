//! How one activity follows another: pure changes of the state, without a server, a clock or a task.

use std::collections::BTreeMap;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::account::Account;
use crate::actions::EXTENDED_SUPPORT_DISABLED;
use crate::backups;
use crate::replicas;
use crate::state::{
    Activity, Category, Change, Instance, Phase, RetainedBackup, SnapshotKind, SnapshotStatus, Source, State,
    default_group, news,
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

/// The daily backup begins, and those that it replaces are gone.
pub fn begin_backup(account: &Account, state: &mut State, resource_id: &str, now: Timestamp) {
    backups::prune(account, state, resource_id, now);
    begin_automated(state, resource_id, now);
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
        Activity::Creating { from_snapshot, point_in_time } => {
            instance.restored_at = from_snapshot.is_some().then_some(now);
            let (category, message) = match (from_snapshot, point_in_time) {
                (None, _) => (Category::Creation, "DB instance created".to_owned()),
                (Some(id), None) => (Category::Restoration, format!("Restored from snapshot {id}")),
                (Some(_), Some(point)) => {
                    let (from, to) = (point.source, &instance.id);
                    (Category::Restoration, format!("Restored from DB instance {from} to {to}"))
                }
            };
            instance.created_at = now;
            match out_of_support(instance, now) {
                Some(change) => {
                    instance.phase = Phase::begin(Activity::Modifying { change: Box::new(change) }, now);
                }
                None => settle(state, resource_id, now),
            }
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
            // One that was promoted or switched to has no backup yet.
            settle(state, resource_id, now);
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
            replicas::forget(state, &id, now);
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

/// What RDS makes of a restored instance that is kept out of Extended Support, where its version has no other any more.
///
/// Source: RDS API Reference, RestoreDBInstanceFromDBSnapshot, EngineLifecycleSupport.
fn out_of_support(instance: &Instance, now: Timestamp) -> Option<Change> {
    let declined = instance.lifecycle_support == EXTENDED_SUPPORT_DISABLED && instance.replica_source.is_none();
    let target = instance.engine_version.supported_target(now).filter(|_| declined)?;
    Some(Change { engine_version: Some(target), parameter_group: Some(default_group(target)), ..Change::default() })
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
        begin_automated(state, resource_id, now);
    }
}

fn begin_automated(state: &mut State, resource_id: &str, now: Timestamp) {
    let Some(instance) = state.by_resource(resource_id).cloned() else {
        return;
    };
    let backup = backups::automated(state, &instance, now);
    if let Some(instance) = state.by_resource_mut(resource_id) {
        instance.backed_up_at = Some(now);
        instance.phase = Phase::begin(Activity::BackingUp { snapshot: backup.id.clone() }, now);
    }
    state.snapshots.insert(backup.id.clone(), backup);
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
        replicas::rename(state, &old, &new);
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
    let major = snapshot.source.engine_version.major;
    let mut instance = state.instances.values_mut().find(|instance| instance.resource_id == resource_id);
    let fails = instance.as_mut().is_some_and(|instance| std::mem::take(&mut instance.ordered.fail_snapshot));
    let source = Source::DbSnapshot(id.to_owned());
    if fails {
        snapshot.status = SnapshotStatus::Failed;
        state.record(source, Category::Failure, "The snapshot failed", now);
        return;
    }
    snapshot.status = SnapshotStatus::Available;
    // Times are shown in whole milliseconds, and what is shown as restorable is.
    let completed = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Ceil);
    let completed = now.round(completed).unwrap_or(now);
    snapshot.completed_at = Some(completed);
    let message = match kind {
        SnapshotKind::Manual => "Manual snapshot created",
        SnapshotKind::Automated => "Automated snapshot created",
    };
    // One from before an upgrade to another major version is a snapshot, and nothing leads on from it.
    let leads_on = |instance: &&mut Instance| kind == SnapshotKind::Automated && instance.engine_version.major == major;
    if let Some(instance) = instance.filter(leads_on) {
        instance.restorable_since.get_or_insert(completed);
    }
    state.record(source, Category::Creation, message, now);
}

#[cfg(test)]
mod tests;
