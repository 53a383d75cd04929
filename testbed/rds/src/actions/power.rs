//! RebootDBInstance, StopDBInstance and StartDBInstance.

use super::{Answer, Call, create, fields};
use crate::model::{Activity, Phase};
use crate::wire::ApiError;

pub(super) async fn reboot(call: &Call<'_>) -> Answer {
    begin(call, &Activity::Available, Activity::Rebooting).await
}

pub(super) async fn stop(call: &Call<'_>) -> Answer {
    begin(call, &Activity::Available, Activity::Stopping).await
}

pub(super) async fn start(call: &Call<'_>) -> Answer {
    begin(call, &Activity::Stopped, Activity::Starting).await
}

async fn begin(call: &Call<'_>, from: &Activity, activity: Activity) -> Answer {
    let id = fields::instance_id(call.params)?;
    let (answer, resource_id) = call
        .service
        .store
        .update(|state| {
            let instance = state.instances.get_mut(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
            if instance.phase.activity != *from {
                return Err(ApiError::invalid_instance_state(format!(
                    "Instance {id} cannot be changed from its present state."
                )));
            }
            instance.phase = Phase::begin(activity, call.now);
            let answer = create::answer(call, instance);
            Ok::<_, ApiError>((answer, instance.resource_id.clone()))
        })
        .await?;
    call.service.attend(&resource_id).await;
    Ok(Some(answer))
}
