//! Which logins are tried: those that may have changed, and a few of the others, so that each is tried once a day.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use shared::rules::{Desired, RoleFlags};

use crate::clock::Moment;
use crate::engine::{Dialect, Password, Visit};
use crate::providers::Instance;

/// At least this many are tried anew in each visit.
const FEW: usize = 4;
/// Visits come every ten minutes: a hundredth of all logins in each is more than all of them in a day.
const SHARE: usize = 100;

/// Where a user logs in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Doorway {
    /// The user.
    pub user: String,
    /// The database.
    pub database: String,
}

/// What the last login showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginKnown {
    /// What it depended on: the server, the password, the user's flags.
    pub fingerprint: String,
    /// When.
    pub at: Moment,
    /// What was wrong, as a sentence; `None` is nothing.
    pub fault: Option<String>,
    /// What was wrong may pass by itself.
    pub passing: bool,
}

/// Every login that is to work, of users that can log in.
pub fn doorways(dialect: &dyn Dialect, desired: &Desired) -> Vec<Doorway> {
    let mut all = Vec::new();
    for (user, flags) in desired.users.iter().filter(|(_, flags)| flags.can_login()) {
        let mut databases = crate::plan::lead::databases_of(desired, user.as_str());
        if databases.is_empty() && dialect.enters_maintenance(*flags, false) {
            databases.push(dialect.maintenance_database().into());
        }
        all.extend(databases.into_iter().map(|database| Doorway { user: user.to_string(), database }));
    }
    all
}

/// What a login depends on, as a digest.
pub fn fingerprint(instance: &Instance, flags: RoleFlags, password: &Password) -> String {
    let mut digest = Sha256::new();
    let endpoint = instance.endpoint.as_ref().map(|endpoint| (endpoint.host.as_str(), endpoint.port));
    let server = (&instance.resource_id, &instance.running.engine_version, endpoint);
    for part in [format!("{server:?}"), format!("{flags:?}"), password.expose().to_owned()] {
        digest.update(part.len().to_be_bytes());
        digest.update(part.as_bytes());
    }
    hex::encode(&digest.finalize()[..16])
}

/// The logins to try now. What cannot be there yet is not tried.
pub fn due(
    dialect: &dyn Dialect,
    desired: &Desired,
    visit: &dyn Visit,
    known: &BTreeMap<Doorway, LoginKnown>,
    current: &BTreeMap<String, String>,
) -> Vec<Doorway> {
    let there = |door: &Doorway| !visit.lacks(&door.user, &door.database) && current.contains_key(&door.user);
    let doors = doorways(dialect, desired);
    let few = FEW.max(doors.len() / SHARE);
    let (mut due, mut rest): (Vec<_>, Vec<_>) = doors.into_iter().filter(there).partition(|door| {
        known.get(door).is_none_or(|last| last.fault.is_some() || Some(&last.fingerprint) != current.get(&door.user))
            || visit.touched(&door.user, &door.database)
    });
    rest.sort_by_key(|door| known.get(door).map(|last| last.at));
    due.extend(rest.into_iter().take(few));
    due
}
