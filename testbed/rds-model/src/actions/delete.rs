//! DeleteDBInstance.

use jiff::Timestamp;

use super::{fields, snapshots};
use crate::abilities::Abilities;
use crate::account::Account;
use crate::backups;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::{Activity, Instance, Phase, State};

/// Begins a deletion. The final snapshot is taken of the stopped server while the instance is `deleting`.
pub fn delete_instance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
) -> Result<Instance, ApiError> {
    let id = fields::instance_id(params)?;
    let skip = params.boolean("SkipFinalSnapshot")?.unwrap_or(false);
    let automated = params.boolean("DeleteAutomatedBackups")?.unwrap_or(true);
    let named = params.text("FinalDBSnapshotIdentifier").is_some();
    let final_snapshot = match (skip, named) {
        (true, true) => {
            return Err(ApiError::invalid_combination(
                "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot",
            ));
        }
        (false, false) => {
            return Err(ApiError::invalid_combination(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            ));
        }
        (true, false) => None,
        (false, true) => Some(fields::identifier(params, "FinalDBSnapshotIdentifier", 255)?),
    };
    let before = state.instances.get(&id).ok_or_else(|| ApiError::instance_not_found(&id))?.clone();
    if matches!(before.phase.activity, Activity::Deleting { .. }) {
        return Err(ApiError::invalid_instance_state(format!("Instance {id} is already being deleted.")));
    }
    if final_snapshot.is_some() && before.replica_source.is_some() {
        return Err(ApiError::invalid_combination(
            "FinalDBSnapshotIdentifier can not be specified when deleting a replica instance",
        ));
    }
    let shown = account.status(&before, now);
    if final_snapshot.is_some() && !Abilities::of(&before, shown).iter().all(|can| can.final_snapshot) {
        return Err(snapshots::not_available(&id));
    }
    if before.deletion_protection {
        return Err(ApiError::invalid_combination(
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        ));
    }
    let mut deleted = before.clone();
    deleted.delete_automated_backups = automated;
    if backups::retained(&deleted) {
        backups::expire(account, state, now);
        let leaving =
            |other: &&Instance| matches!(other.phase.activity, Activity::Deleting { .. }) && backups::retained(other);
        let leaving = state.instances.values().filter(leaving).count();
        if state.retained.len() + leaving >= account.quotas.retained_backups {
            return Err(ApiError::retained_backup_quota());
        }
    }
    if let Some(snapshot) = &final_snapshot {
        snapshots::begin_manual(account, state, &before, snapshot, None, now)?;
    }
    let activity = Activity::Deleting { final_snapshot, published: false };
    deleted.phase = Phase::begin(activity, now);
    state.instances.insert(id, deleted.clone());
    // A backup that the deletion interrupts is never finished.
    if let Activity::BackingUp { snapshot } | Activity::Stopping { snapshot: Some(snapshot) } = &before.phase.activity {
        state.snapshots.remove(snapshot);
    }
    Ok(deleted)
}
