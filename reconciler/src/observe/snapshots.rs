//! The manual snapshots of instances of one name.

use std::time::Duration;

use shared::names::InstanceIdentifier;

use super::crowded::{Crowded, unknown};
use crate::context::Context;
use crate::memory::Recollection;
use crate::plan::Seen;
use crate::providers::Snapshot;
use crate::providers::accounts::Account;

/// An answer about snapshots is one for the passes of a birth, which come within seconds.
const SNAPSHOTS_GOOD_FOR: Duration = Duration::from_secs(60);

/// The manual snapshots of the instances of this name, asked for now.
pub(super) async fn snapshots(
    account: &Account,
    identifier: &InstanceIdentifier,
) -> Result<Seen<Vec<Snapshot>>, Crowded> {
    Ok(match account.cloud.snapshots_of(identifier.as_str()).await {
        Ok(snapshots) if snapshots.is_empty() => Seen::Absent,
        Ok(snapshots) => Seen::Known(snapshots),
        Err(error) => unknown(&error)?,
    })
}

/// The snapshots that an earlier object of this name has left, asked for once for the few passes before a birth.
pub(super) async fn snapshots_before_birth(
    context: &Context,
    account: &Account,
    identifier: &InstanceIdentifier,
    uid: &str,
    recollection: &Recollection,
) -> Result<Seen<Vec<Snapshot>>, Crowded> {
    let asked = context.now();
    if let Some((at, seen)) = &recollection.snapshots
        && asked.since(*at) < SNAPSHOTS_GOOD_FOR
        && recollection.last_effect.is_none_or(|effect| effect < *at)
    {
        return Ok(seen.clone());
    }
    let seen = snapshots(account, identifier).await?;
    let known = (!matches!(seen, Seen::Unknown(_))).then(|| (asked, seen.clone()));
    context.memory.update(uid, |recollection| recollection.snapshots = known);
    Ok(seen)
}
