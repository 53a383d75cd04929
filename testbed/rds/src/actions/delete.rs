//! DeleteDBInstance.

use super::{Answer, Call, create, fields};
use crate::model::{Activity, Phase, Snapshot, SnapshotKind, Tags};
use crate::wire::ApiError;

/// Begins a deletion. The final snapshot is taken of the stopped server while the instance is `deleting`.
pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let params = call.params;
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
    let (answer, resource_id) = call
        .service
        .store
        .update(|state| {
            let instance = state.instances.get_mut(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
            match instance.phase.activity {
                Activity::Deleting { .. } => {
                    return Err(ApiError::invalid_instance_state(format!("Instance {id} is already being deleted.")));
                }
                Activity::Creating { .. } | Activity::Failed if final_snapshot.is_some() => {
                    return Err(ApiError::invalid_instance_state(format!(
                        "Cannot create a final snapshot of instance {id}, which is not available."
                    )));
                }
                _ => {}
            }
            if instance.deletion_protection {
                return Err(ApiError::invalid_combination(
                    "Cannot delete protected DB Instance, please disable deletion protection and try again.",
                ));
            }
            if let Some(snapshot) = &final_snapshot
                && state.snapshots.contains_key(snapshot)
            {
                return Err(ApiError::snapshot_exists(snapshot));
            }
            let before = instance.clone();
            instance.delete_automated_backups = automated;
            let activity = Activity::Deleting { final_snapshot: final_snapshot.clone(), published: false };
            instance.phase = Phase::begin(activity, call.now);
            let answer = create::answer(call, instance);
            if let Some(snapshot) = final_snapshot {
                let snapshot = Snapshot {
                    id: snapshot,
                    kind: SnapshotKind::Manual,
                    created_at: call.now,
                    available: false,
                    tags: if before.copy_tags_to_snapshot { before.tags.clone() } else { Tags::new() },
                    source: before.clone(),
                };
                state.snapshots.insert(snapshot.id.clone(), snapshot);
            }
            // A backup that the deletion interrupts is never finished.
            if let Activity::BackingUp { snapshot } = &before.phase.activity {
                state.snapshots.remove(snapshot);
            }
            Ok::<_, ApiError>((answer, before.resource_id))
        })
        .await?;
    call.service.attend(&resource_id).await;
    Ok(Some(answer))
}
