//! What a source and its read replicas know of each other, as either changes.

use jiff::Timestamp;

use crate::state::{Activity, Category, Phase, Source, State};

/// An instance has another identifier.
pub(crate) fn rename(state: &mut State, old: &str, new: &str) {
    for instance in state.instances.values_mut() {
        instance.replicas.iter_mut().filter(|id| *id == old).for_each(|id| new.clone_into(id));
        if let Some(source) = instance.replica_source.as_mut().filter(|id| *id == old) {
            new.clone_into(source);
        }
    }
}

/// An instance is gone: its replicas are promoted, which restarts them [RDS User Guide, "Deleting a DB instance"].
pub(crate) fn forget(state: &mut State, gone: &str, now: Timestamp) {
    let mut promoted = Vec::new();
    for instance in state.instances.values_mut() {
        instance.replicas.retain(|id| id != gone);
        if instance.replica_source.take_if(|source| source == gone).is_some() {
            if instance.phase.activity == Activity::Available {
                instance.phase = Phase::begin(Activity::Rebooting, now);
            }
            promoted.push(instance.id.clone());
        }
    }
    for id in promoted {
        let message = "Promoted Read Replica instance to stand-alone database instance";
        state.record(Source::DbInstance(id), Category::Notification, message, now);
    }
}
