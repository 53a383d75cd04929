//! The automated backups of instances, there or gone: pure changes of the state.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::account::Account;
use crate::state::{Activity, Instance, Snapshot, SnapshotKind, SnapshotStatus, State, Tags};
use crate::versions::EngineVersion;

/// Whether a deletion leaves the automated backup behind.
pub(crate) fn retained(instance: &Instance) -> bool {
    !instance.delete_automated_backups && instance.restorable_since.is_some()
}

/// Removes the automated snapshots of an instance, there or gone.
pub(crate) fn forget(state: &mut State, resource_id: &str) {
    state.retained.remove(resource_id);
    state
        .snapshots
        .retain(|_, snapshot| snapshot.kind != SnapshotKind::Automated || snapshot.source.resource_id != resource_id);
    if let Some(instance) = state.by_resource_mut(resource_id) {
        instance.restorable_since = None;
    }
}

/// Removes the automated backups whose retention is over.
pub(crate) fn expire(account: &Account, state: &mut State, now: Timestamp) {
    let over = state.retained.iter().filter(|(_, backup)| account.times(&backup.source).expired(backup, now));
    for resource_id in over.map(|(resource_id, _)| resource_id.clone()).collect::<Vec<_>>() {
        forget(state, &resource_id);
    }
}

/// Removes the automated snapshots that are older than the retention of their instance, but for the last one, from which the present can
/// still be restored.
pub(crate) fn prune(account: &Account, state: &mut State, resource_id: &str, now: Timestamp) {
    let Some(instance) = state.by_resource(resource_id) else {
        return;
    };
    let (times, retention) = (account.times(instance), instance.backup_retention);
    let major = instance.engine_version.major;
    let last = bases(state, resource_id, major).map(|(at, _)| at).max();
    let old: Vec<_> = kept(state, resource_id)
        .filter(|(at, snapshot)| {
            Some(*at) != last && times.outdated(*at, retention, now) && !in_use(state, &snapshot.id)
        })
        .map(|(_, snapshot)| snapshot.id.clone())
        .collect();
    for id in old {
        state.snapshots.remove(&id);
    }
    let since = bases(state, resource_id, major).map(|(at, _)| at).min();
    if let Some(instance) = state.by_resource_mut(resource_id) {
        instance.restorable_since = since.or(instance.restorable_since);
    }
}

/// The automated snapshots of an instance, there or gone, that can be restored, and when they were complete.
fn kept<'a>(state: &'a State, resource_id: &str) -> impl Iterator<Item = (Timestamp, &'a Snapshot)> {
    state.snapshots.values().filter_map(move |snapshot| {
        let of_it = snapshot.kind == SnapshotKind::Automated && snapshot.source.resource_id == resource_id;
        Some((snapshot.completed_at.filter(|_| of_it && snapshot.available())?, snapshot))
    })
}

/// Those from which the log of a major version leads on: an upgrade begins a new one.
fn bases<'a>(state: &'a State, resource_id: &str, major: u16) -> impl Iterator<Item = (Timestamp, &'a Snapshot)> {
    kept(state, resource_id).filter(move |(_, snapshot)| snapshot.source.engine_version.major == major)
}

/// The automated snapshot from which the write-ahead log of an instance leads to this moment in the shortest way.
pub(crate) fn base<'a>(state: &'a State, source: &Instance, at: Timestamp) -> Option<&'a Snapshot> {
    let bases = bases(state, &source.resource_id, source.engine_version.major);
    bases.filter(|(completed, _)| *completed <= at).max_by_key(|(completed, _)| *completed).map(|(_, base)| base)
}

/// Whether the data of a snapshot are being copied, into an instance or into another snapshot.
pub(crate) fn in_use(state: &State, id: &str) -> bool {
    let restoring = |instance: &Instance| match &instance.phase.activity {
        Activity::Creating { from_snapshot, .. } => !instance.phase.worked && from_snapshot.as_deref() == Some(id),
        _ => false,
    };
    let copying = |snapshot: &Snapshot| {
        snapshot.status == SnapshotStatus::Creating && snapshot.copy.as_ref().is_some_and(|copy| copy.from == id)
    };
    state.instances.values().any(restoring) || state.snapshots.values().any(copying)
}

/// A backup of an instance as it is now. Its name has the minute in it, as RDS gives it; where another instance had the name within this
/// minute and has left its own, the next one.
pub(crate) fn automated(state: &State, instance: &Instance, now: Timestamp) -> Snapshot {
    let mut minute = now;
    let mut id = name(instance, minute);
    while state.snapshots.contains_key(&id) {
        minute += 1.minute();
        id = name(instance, minute);
    }
    Snapshot {
        id,
        kind: SnapshotKind::Automated,
        created_at: now,
        status: SnapshotStatus::Creating,
        completed_at: None,
        copy: None,
        tags: if instance.copy_tags_to_snapshot { instance.tags.clone() } else { Tags::new() },
        source: instance.clone(),
    }
}

/// The snapshot that RDS takes before it upgrades an instance to another major version.
pub(crate) fn before_upgrade(instance: &Instance, target: EngineVersion) -> String {
    let version = |version: EngineVersion| version.to_string().replace('.', "-");
    let at = instance.phase.since.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d-%H-%M");
    format!("rds:preupgrade-{}-{}-to-{}-{at}", instance.id, version(instance.engine_version), version(target))
}

fn name(instance: &Instance, at: Timestamp) -> String {
    format!("rds:{}-{}", instance.id, at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d-%H-%M"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle;
    use crate::state::{Phase, RetainedBackup};
    use crate::testing::{account, at, instance};

    #[test]
    fn a_backup_does_not_take_the_name_of_one_that_was_retained() {
        let mut state = State::default();
        let before = automated(&state, &instance("orders"), at(0));
        state.snapshots.insert(before.id.clone(), before.clone());
        assert_ne!(automated(&state, &instance("orders"), at(0)).id, before.id);
    }

    #[test]
    fn snapshots_go_with_time_but_for_the_last_and_those_in_use() {
        let account = account();
        let mut state = State::default();
        state.instances.insert("orders".into(), Instance { backup_retention: 2, ..instance("orders") });
        let day = 24 * 3600;
        for n in 0..4 {
            let (from, to) = (at(n * day), at(n * day + 60));
            lifecycle::begin_backup(&account, &mut state, "db-ORDERS", from);
            lifecycle::finish(&mut state, "db-ORDERS", to);
        }
        let left = |state: &State| kept(state, "db-ORDERS").map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(left(&state), [1, 2, 3].map(|n| at(n * day + 60)));
        assert_eq!(state.instances["orders"].restorable_since, Some(at(day + 60)));
        assert_eq!(base(&state, &state.instances["orders"], at(2 * day + 59)).unwrap().created_at, at(day));
        assert!(base(&state, &state.instances["orders"], at(day + 59)).is_none());

        let first = state.snapshots.values().next().unwrap().id.clone();
        let restored = Activity::Creating { from_snapshot: Some(first), point_in_time: None };
        state.instances.insert("again".into(), Instance { phase: Phase::begin(restored, at(9)), ..instance("again") });
        prune(&account, &mut state, "db-ORDERS", at(99 * day));
        assert_eq!(left(&state), [at(day + 60), at(3 * day + 60)]);
    }

    #[test]
    fn what_is_over_goes_with_its_snapshots_and_the_rest_stays() {
        let account = account();
        let mut state = State::default();
        for (id, since) in [("old", 0), ("new", 3600)] {
            let source = instance(id);
            let backup = automated(&state, &source, at(since));
            state.snapshots.insert(backup.id.clone(), backup);
            state.retained.insert(source.resource_id.clone(), RetainedBackup { source, since: at(since) });
        }
        expire(&account, &mut state, at(7 * 24 * 3600));
        assert_eq!(state.retained.keys().collect::<Vec<_>>(), ["db-NEW"]);
        assert!(state.snapshots.values().all(|snapshot| snapshot.source.id == "new"));
    }
}
