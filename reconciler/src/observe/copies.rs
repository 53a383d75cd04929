//! The copies that are kept of an instance, and whether the account has room for another.

use std::time::Duration;

use super::crowded::{Crowded, unknown};
use super::snapshots::snapshots;
use crate::clock::Moment;
use crate::context::Context;
use crate::plan::{KeptCopies, Seen, World, copies_at_rest, copies_looked_for, copy_due};
use crate::providers::Snapshot;
use crate::providers::accounts::Account;
use crate::subject::Target;

/// What is done is decided by an answer that is younger.
const FRESH: Duration = Duration::from_secs(60);
/// While nothing is to be done an answer is good for so long: this is how soon it is seen that somebody has deleted a copy.
const AT_REST: Duration = Duration::from_secs(3600);

/// Looks for the copies where there are to be some: now and then, and before something is done about them. What is `remembered` is younger than
/// the last effect.
pub(super) async fn look(
    context: &Context,
    account: &Account,
    target: &Target,
    world: &mut World,
    remembered: Option<(Moment, Seen<Vec<Snapshot>>)>,
) -> Result<(), Crowded> {
    if !copies_looked_for(target, world) {
        return Ok(());
    }
    let asked = context.now();
    if let Some((at, snapshots)) = remembered {
        let age = asked.since(at);
        world.copies = Some(KeptCopies { snapshots, quota: Seen::Absent });
        if age >= FRESH && !(age < AT_REST && copies_at_rest(target, world)) {
            world.copies = None;
        }
    }
    if world.copies.is_none() {
        let seen = snapshots(account, &world.identifier).await?;
        let known = (!matches!(seen, Seen::Unknown(_))).then(|| (asked, seen.clone()));
        context.memory.update(&world.object.uid, |recollection| recollection.copies = known);
        world.copies = Some(KeptCopies { snapshots: seen, quota: Seen::Absent });
    }
    if copy_due(target, world) {
        let quota = match account.snapshot_quota.answer(asked, account.cloud.snapshot_quota()).await {
            Ok(quota) => Seen::Known(quota),
            Err(error) => unknown(&error)?,
        };
        world.copies.iter_mut().for_each(|copies| copies.quota = quota.clone());
    }
    Ok(())
}
