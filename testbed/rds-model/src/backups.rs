//! The automated backups of instances, there or gone: pure changes of the state.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::account::Account;
use crate::state::{Instance, Snapshot, SnapshotKind, SnapshotStatus, State, Tags};
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
    use crate::state::RetainedBackup;
    use crate::testing::{account, at, instance};

    #[test]
    fn a_backup_does_not_take_the_name_of_one_that_was_retained() {
        let mut state = State::default();
        let before = automated(&state, &instance("orders"), at(0));
        state.snapshots.insert(before.id.clone(), before.clone());
        assert_ne!(automated(&state, &instance("orders"), at(0)).id, before.id);
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
