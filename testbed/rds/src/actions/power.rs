//! RebootDBInstance, StopDBInstance and StartDBInstance.

use super::{Answer, Call, create, elsewhere, fields, snapshots};
use crate::abilities::Abilities;
use crate::model::{Activity, Instance, Phase, State};
use crate::wire::ApiError;

pub(super) async fn reboot(call: &Call<'_>) -> Answer {
    let failover = call.params.boolean("ForceFailover")?.unwrap_or(false);
    begin(call, |call, state, id| {
        let instance = allowed(call, state, id, |can| can.reboot, "available")?;
        if failover && !instance.multi_az {
            return Err(ApiError::invalid_combination(
                "Cannot force failover: the DB instance isn't a Multi-AZ deployment.",
            ));
        }
        instance.phase = Phase::begin(Activity::Rebooting, call.now);
        Ok(())
    })
    .await
}

/// Stops an instance, after a snapshot where the request names one.
pub(super) async fn stop(call: &Call<'_>) -> Answer {
    elsewhere::refuse(call.params)?;
    let snapshot = match call.params.text("DBSnapshotIdentifier") {
        None => None,
        Some(_) => Some(fields::identifier(call.params, "DBSnapshotIdentifier", 255)?),
    };
    begin(call, |call, state, id| {
        let instance = allowed(call, state, id, |can| can.stop, "available")?.clone();
        if let Some(snapshot) = &snapshot {
            snapshots::begin_manual(call, state, &instance, snapshot, None)?;
        }
        let instance = state.instances.get_mut(id).ok_or_else(|| ApiError::instance_not_found(id))?;
        instance.phase = Phase::begin(Activity::Stopping { snapshot }, call.now);
        Ok(())
    })
    .await
}

pub(super) async fn start(call: &Call<'_>) -> Answer {
    elsewhere::refuse(call.params)?;
    begin(call, |call, state, id| {
        allowed(call, state, id, |can| can.start, "stopped")?.phase = Phase::begin(Activity::Starting, call.now);
        Ok(())
    })
    .await
}

/// The instance, if its state allows what is asked for.
fn allowed<'a>(
    call: &Call<'_>,
    state: &'a mut State,
    id: &str,
    asked: impl Fn(&Abilities) -> bool,
    needed: &str,
) -> Result<&'a mut Instance, ApiError> {
    let instance = state.instances.get_mut(id).ok_or_else(|| ApiError::instance_not_found(id))?;
    if !Abilities::of(instance, call.service.times.status(instance, call.now)).iter().all(asked) {
        return Err(ApiError::invalid_instance_state(format!("Instance {id} is not in {needed} state.")));
    }
    Ok(instance)
}

async fn begin(call: &Call<'_>, change: impl FnOnce(&Call<'_>, &mut State, &str) -> Result<(), ApiError>) -> Answer {
    let id = fields::instance_id(call.params)?;
    let (answer, resource_id) = call
        .service
        .store
        .update(|state| {
            change(call, state, &id)?;
            let instance = state.instances.get(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
            Ok::<_, ApiError>((create::answer(call, instance), instance.resource_id.clone()))
        })
        .await?;
    call.service.attend(&resource_id).await;
    Ok(Some(answer))
}
