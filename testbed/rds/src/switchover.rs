//! A switchover on order: the data of an instance are another one's, which has the name from then on.

use std::sync::Arc;

use jiff::Timestamp;
use rds_model::{ApiError, Switchover};

use crate::fresh::Drawn;
use crate::service::Service;
use crate::wire::error::internal;

/// Switches the instance with this identifier over. Nothing that was committed is lost: it is read-only while it is copied, and stays so.
pub(crate) async fn switch_over(service: &Arc<Service>, id: &str) -> Result<(), ApiError> {
    // Nobody knows the files of the new instance before it is there.
    let alone = service.files.lock().await;
    let plan = service.store.read(|state| Switchover::plan(state, id, &mut Drawn)).await?;
    let Switchover { blue, green } = plan.clone();
    let copied = service.env.copy_read_only(&blue, &green).await.map_err(|error| internal(&error));
    let done = match copied {
        Ok(()) => service.store.update(|state| plan.carry_out(state, Timestamp::now())).await,
        Err(error) => Err(error),
    };
    drop(alone);
    if let Err(error) = done {
        if let Err(error) = service.env.writable_again(&blue).await {
            tracing::warn!(id, %error, "an instance that was not switched over is left read-only");
        }
        crate::leftovers::clear(service).await;
        return Err(error);
    }
    service.attend(&blue.resource_id).await;
    service.attend(&green.resource_id).await;
    Ok(())
}
