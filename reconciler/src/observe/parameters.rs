//! The groups of parameters that an instance is to have, and which parameters there are.

use super::crowded::{Crowded, unknown};
use crate::context::Context;
use crate::plan::{Seen, World, looked_for};
use crate::providers::accounts::Account;
use crate::subject::Target;

/// Looks at what is wanted and not there: of an instance at rest, at nothing.
pub(super) async fn look(
    context: &Context,
    account: &Account,
    target: &Target,
    world: &mut World,
) -> Result<(), Crowded> {
    for wanted in looked_for(target, world) {
        context.accounts.wish(&wanted.name);
        if !target.parameters().is_empty() && !world.offered.contains_key(&wanted.family) {
            let offered = account.catalogues.of(&*account.cloud, &wanted.family, context.now()).await;
            let seen = match offered {
                Ok(offered) => Seen::Known(offered),
                Err(error) => unknown(&error)?,
            };
            world.offered.insert(wanted.family.clone(), seen);
        }
        let seen = match account.cloud.group(&wanted.name).await {
            Ok(Some(group)) => Seen::Known(group),
            Ok(None) => Seen::Absent,
            Err(error) => unknown(&error)?,
        };
        world.groups.insert(wanted.name, seen);
    }
    Ok(())
}
