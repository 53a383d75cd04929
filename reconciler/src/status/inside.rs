//! Users, databases and logins: what the last visit found, as far as it is still about what is wanted.

use std::collections::BTreeMap;

use shared::api::{DatabaseStatus, LoginsStatus, RDSDatabaseStatus, UserStatus};
use shared::names;
use shared::rules::RoleName;

use super::bounds;
use crate::plan::{SqlReport, World, kept};
use crate::subject::Target;

pub(super) fn users(target: &Target, world: &World) -> BTreeMap<String, UserStatus> {
    let report = current_report(world);
    let user = |user: &RoleName| {
        let obstacle = report.and_then(|report| report.users.get(user.as_str()));
        let status = UserStatus {
            secret: names::secret_name(&world.object.name, user),
            ready: obstacle.is_some_and(Option::is_none),
            message: obstacle.cloned().flatten(),
        };
        (user.to_string(), status)
    };
    target.desired.users.keys().map(user).collect()
}

pub(super) fn databases(
    before: &RDSDatabaseStatus,
    target: &Target,
    world: &World,
    same_instance: bool,
) -> BTreeMap<String, DatabaseStatus> {
    let report = current_report(world);
    let oid = |name: &str| {
        let found = report.and_then(|report| report.oids.get(name)).copied();
        let known = || world.known_databases.get(name).filter(|_| same_instance)?.oid;
        found.or_else(known).map(i64::from)
    };
    let wanted = target.desired.databases.iter().map(|(name, users)| {
        let obstacle = report.and_then(|report| report.databases.get(name.as_str()));
        let status = DatabaseStatus {
            ready: obstacle.is_some_and(Option::is_none),
            users: users.iter().map(ToString::to_string).collect(),
            removed: false,
            oid: oid(name.as_str()),
            message: obstacle.cloned().flatten(),
        };
        (name.to_string(), status)
    });
    let mut all: BTreeMap<_, _> = wanted.collect();
    let gone = || {
        // Until the next visit has looked, what was there is still there.
        let gone = before.databases.iter().filter(|(name, _)| !all.contains_key(*name));
        let told = |database: &DatabaseStatus| database.message.clone().filter(|_| database.removed);
        gone.map(|(name, database)| (name.clone(), told(database).unwrap_or_else(|| kept(None)))).collect()
    };
    let removed: BTreeMap<String, String> = report.map_or_else(gone, |report| report.removed_databases.clone());
    for (name, message) in removed {
        let (oid, message) = (oid(&name), Some(message));
        all.insert(name, DatabaseStatus { ready: false, users: Vec::new(), removed: true, oid, message });
    }
    all
}

pub(super) fn logins(before: &RDSDatabaseStatus, world: &World) -> Option<LoginsStatus> {
    if let Some(report) = current_report(world) {
        return Some(bounds::logins(report.logins.iter().map(|(login, fault)| (login, fault.as_deref()))));
    }
    let of_v0_1_0 = || bounds::logins(before.access.iter().map(|(login, seen)| (login, seen.message.as_deref())));
    before.logins.clone().or_else(|| (!before.access.is_empty()).then(of_v0_1_0))
}

fn current_report(world: &World) -> Option<&SqlReport> {
    world.current_visit()?.result.as_ref().ok()
}
