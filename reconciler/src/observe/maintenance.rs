//! What the provider is going to do to an instance by itself.

use std::sync::Arc;

use super::crowded::{Crowded, unknown};
use crate::context::Context;
use crate::plan::{Seen, World, usable};
use crate::providers::Maintenance;
use crate::providers::accounts::Account;

/// Looks for that of the instance, where there is one of this object.
pub(super) async fn look(
    context: &Context,
    account: &Account,
    world: &World,
) -> Result<Seen<Vec<Maintenance>>, Crowded> {
    let Some(instance) = usable(world) else { return Ok(Seen::Absent) };
    let question = async { account.cloud.maintenance().await.map(Arc::new) };
    match account.maintenance.answer(context.now(), question).await {
        Ok(all) => Ok(all.get(&instance.identifier).cloned().map_or(Seen::Absent, Seen::Known)),
        Err(error) => unknown(&error),
    }
}
