//! An upgrade to another major version, as far as it differs from other changes: pure changes of the state.

use jiff::Timestamp;

use crate::backups;
use crate::state::{Category, FailedUpgrade, Snapshot, Source, State, news};

/// The checks before an upgrade to another major version have found nothing in the way: the downtime begins, with a snapshot where backups
/// are on. It is the answer; its data are those of the stopped server. Told again after an interruption, it is no news.
pub fn begun(state: &mut State, resource_id: &str, now: Timestamp) -> Option<String> {
    let instance = state.by_resource(resource_id)?.clone();
    let target = instance.major_upgrade()?;
    let id = backups::before_upgrade(&instance, target);
    let source = Source::DbInstance(instance.id.clone());
    let since = instance.phase.since;
    let told = state
        .events
        .iter()
        .any(|event| event.source == source && event.at >= since && event.message == news::UPGRADE_STARTED);
    if !told {
        state.report(&source, news::upgrade_begun(), now);
    }
    if instance.backup_retention == 0 {
        return None;
    }
    if !state.snapshots.contains_key(&id) {
        let snapshot = backups::automated(state, &instance, now);
        state.snapshots.insert(id.clone(), Snapshot { id: id.clone(), ..snapshot });
        state.record(Source::DbSnapshot(id.clone()), Category::Creation, "Creating automated snapshot", now);
    }
    Some(id)
}

/// An upgrade to another major version has come to nothing: the server runs as before. It is told when its time is over.
pub fn failed(state: &mut State, resource_id: &str, failure: FailedUpgrade, now: Timestamp) {
    let Some(instance) = state.by_resource_mut(resource_id).filter(|instance| instance.major_upgrade().is_some())
    else {
        return;
    };
    let source = Source::DbInstance(instance.id.clone());
    instance.phase.worked = true;
    let refused = matches!(failure, FailedUpgrade::Refused(_));
    instance.failed_upgrade = Some(failure);
    if refused {
        state.report(&source, news::upgrade_checked(), now);
    }
}
