//! What an upgrade to another major version meets.

use jiff::Timestamp;
use shared::names::InstanceIdentifier;
use shared::rules::{Engine, EngineVersion};

use super::crowded::{Crowded, unknown};
use crate::plan::{Passage, Seen};
use crate::providers::Instance;
use crate::providers::accounts::Account;
use crate::subject::Target;

/// An instance that is to go to a later major version.
pub(super) struct Rising {
    engine: Engine,
    /// The version that runs.
    from: String,
}

/// Whether the object asks for a later major version than the one that runs, and allows it.
pub(super) fn rises(target: &Target, instance: &Instance) -> Option<Rising> {
    let (desired, from) = (&target.desired, instance.running.engine_version.as_deref()?);
    let running = EngineVersion::read(desired.engine, from)?;
    (desired.allow_major_upgrade && desired.version.major() > running.major())
        .then(|| Rising { engine: desired.engine, from: from.to_owned() })
}

pub(super) async fn look(
    account: &Account,
    identifier: &InstanceIdentifier,
    rising: &Rising,
    at: Timestamp,
) -> Result<Passage, Crowded> {
    let Rising { engine, from } = rising;
    let upgrades = match account.cloud.upgrades(*engine, from, identifier.as_str()).await {
        Ok(upgrades) => Seen::Known(upgrades),
        Err(error) => unknown(&error)?,
    };
    Ok(Passage { at, upgrades })
}
