//! What an earlier process found in the database, read back from the status that it wrote.

use std::collections::BTreeMap;

use shared::api::{DatabaseStatus, RDSDatabase, RDSDatabaseStatus};
use shared::names;
use shared::rules::{DatabaseName, Desired};

use crate::engine::{Dialect, Known, recreate_word};
use crate::plan::{
    Concern, Doorway, LoginKnown, Moment, ObjectFacts, SqlReport, SqlVisit, World, doorways, fingerprint, kept,
};

/// The visit that the status tells of, where it says of this very generation that all is as declared and every login works.
///
/// It counts as made long ago: another one is due at once, and until it finds something else a restart changes no status.
pub(super) fn told_visit(
    dialect: &dyn Dialect,
    object: &RDSDatabase,
    desired: &Desired,
    inputs: &str,
) -> Option<SqlVisit> {
    let status = object.status.as_ref()?;
    let generation = object.metadata.generation;
    let holds = |concern: Concern| {
        let mut conditions = status.conditions.iter();
        conditions.any(|condition| {
            condition.type_ == concern.condition()
                && condition.status == "True"
                && condition.observed_generation == generation
        })
    };
    let settled = status.observed_generation == generation && holds(Concern::Databases) && holds(Concern::Logins);
    let result = || Ok(report(dialect, status, desired));
    settled.then(|| SqlVisit { inputs: inputs.to_owned(), at: Moment::LONG_AGO, result: result() })
}

/// The logins of the visit that the status tells of, made long ago with what is there now: they are tried anew, a few in each visit.
pub(super) fn told_logins(dialect: &dyn Dialect, desired: &Desired, world: &World) -> BTreeMap<Doorway, LoginKnown> {
    let Some(instance) = world.instance.known() else { return BTreeMap::new() };
    // One user has many doors: its password is read once.
    let prints: BTreeMap<_, _> = desired
        .users
        .iter()
        .filter_map(|(user, flags)| {
            let password = world.password(&names::secret_name(&world.object.name, user))?;
            Some((user.as_str(), fingerprint(instance, *flags, &password)))
        })
        .collect();
    let told = |door: Doorway| {
        let fingerprint = prints.get(door.user.as_str())?.clone();
        Some((door, LoginKnown { fingerprint, at: Moment::LONG_AGO, fault: None, passing: false }))
    };
    doorways(dialect, desired).into_iter().filter_map(told).collect()
}

/// The databases that were known to be there, by the status or by this process, and whether a person allows an empty one in place of each.
pub(super) fn known_databases(
    object: &RDSDatabase,
    facts: &ObjectFacts,
    remembered: BTreeMap<String, u32>,
) -> BTreeMap<DatabaseName, Known> {
    let allowed: Vec<_> = facts.recreate_databases.iter().flat_map(|words| words.split(',')).map(str::trim).collect();
    let known = |(name, database): (&String, &DatabaseStatus)| {
        let oid = database.oid.and_then(|oid| u32::try_from(oid).ok());
        // v0.1.0 recorded no oid.
        (oid.is_some() || database.ready).then_some(())?;
        let replaceable = allowed.contains(&recreate_word(name, oid).as_str());
        Some((name.parse().ok()?, Known { oid, replaceable }))
    };
    let told = object.status.iter().flat_map(|status| &status.databases).filter_map(known);
    let remembered = remembered.into_iter().filter_map(|(name, oid)| {
        let replaceable = allowed.contains(&recreate_word(&name, Some(oid)).as_str());
        Some((name.parse().ok()?, Known { oid: Some(oid), replaceable }))
    });
    let mut all: BTreeMap<_, _> = remembered.collect();
    for (name, known) in told {
        // The status goes first, unless it has the name alone.
        if known.oid.is_some() || !all.contains_key(&name) {
            all.insert(name, known);
        }
    }
    all
}

/// Nothing stands in the way of anybody, and every login works: the status need not list them to say so.
fn report(dialect: &dyn Dialect, status: &RDSDatabaseStatus, desired: &Desired) -> SqlReport {
    let removed = status.databases.iter().filter(|(_, database)| database.removed);
    SqlReport {
        users: desired.users.keys().map(|user| (user.to_string(), None)).collect(),
        databases: desired.databases.keys().map(|name| (name.to_string(), None)).collect(),
        unfinished: Vec::new(),
        notes: Vec::new(),
        lost: false,
        oids: BTreeMap::new(),
        attempts: 0,
        retry_at: None,
        passing: false,
        removed_databases: removed
            .map(|(name, database)| (name.clone(), database.message.clone().unwrap_or_else(|| kept(None))))
            .collect(),
        logins: doorways(dialect, desired)
            .into_iter()
            .map(|door| (format!("{}@{}", door.user, door.database), None))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::rules;

    use super::*;
    use crate::engine::postgres::DIALECT;

    fn object(generation: i64, logins: &str) -> RDSDatabase {
        let condition = |kind: &str, status: &str| {
            json!({
                "type": kind, "status": status, "reason": "Done", "message": "", "observedGeneration": 3,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let object = json!({
            "apiVersion": "matrixmind.cloud/v1",
            "kind": "RDSDatabase",
            "metadata": {"name": "orders", "generation": generation},
            "status": {
                "observedGeneration": 3,
                "conditions": [condition("DatabasesReady", "True"), condition("AccessVerified", logins)],
                "users": {"app": {"secret": "orders.rds.app", "ready": true}},
                "databases": {
                    "orders": {"ready": true, "users": ["app"]},
                    "old": {"ready": false, "removed": true, "message": "left the spec"},
                },
                "logins": {"verified": 1, "failed": 0},
            },
        });
        serde_json::from_value(object).expect("the fixture is an RDSDatabase")
    }

    fn desired() -> Desired {
        let spec = rules::defaults(
            &json!({"users": {"app": []}, "databases": {"orders": ["app"]}}),
            None,
            shared::rules::DefaultVersions::BUILT_IN,
        );
        rules::parse("orders", &spec).expect("the specification is right")
    }

    #[test]
    fn i5_what_was_as_declared_is_so_until_it_is_seen_otherwise() {
        let visit = told_visit(DIALECT, &object(3, "True"), &desired(), "inputs").expect("the status tells of a visit");
        assert_eq!((visit.inputs.as_str(), visit.at), ("inputs", Moment::LONG_AGO));
        let report = visit.result.expect("the visit went well");
        assert!(report.settled() && report.verified());
        assert!(report.users.contains_key("app") && report.logins.contains_key("app@orders"));
        assert!(report.databases.keys().eq(["orders"]) && report.removed_databases["old"] == "left the spec");
    }

    #[test]
    fn another_generation_or_a_fault_is_no_proof() {
        assert_eq!(told_visit(DIALECT, &object(4, "True"), &desired(), "inputs"), None);
        assert_eq!(told_visit(DIALECT, &object(3, "False"), &desired(), "inputs"), None);
    }
}
