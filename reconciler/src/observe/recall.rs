//! What an earlier process found in the database, read back from the status that it wrote.

use jiff::Timestamp;
use shared::api::{RDSDatabase, RDSDatabaseStatus};

use crate::plan::{Concern, SqlReport, SqlVisit};

/// The visit that the status tells of, where it says of this very generation that all is as declared and every login works.
///
/// It counts as made long ago: another one is due at once, and until it finds something else a restart changes no status.
pub(super) fn told_visit(object: &RDSDatabase, inputs: &str) -> Option<SqlVisit> {
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
    let settled = status.observed_generation == generation && holds(Concern::Databases) && holds(Concern::Access);
    settled.then(|| SqlVisit { inputs: inputs.to_owned(), at: Timestamp::UNIX_EPOCH, result: Ok(report(status)) })
}

fn report(status: &RDSDatabaseStatus) -> SqlReport {
    let wanted = status.databases.iter().filter(|(_, database)| !database.removed);
    let removed = status.databases.iter().filter(|(_, database)| database.removed);
    SqlReport {
        users: status.users.iter().map(|(name, user)| (name.clone(), user.message.clone())).collect(),
        databases: wanted.map(|(name, database)| (name.clone(), database.message.clone())).collect(),
        unfinished: Vec::new(),
        retry_at: None,
        passing: false,
        removed_databases: removed.map(|(name, _)| name.clone()).collect(),
        access: status.access.iter().map(|(login, seen)| (login.clone(), seen.message.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(generation: i64, access: &str) -> RDSDatabase {
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
                "conditions": [condition("DatabasesReady", "True"), condition("AccessVerified", access)],
                "users": {"app": {"secret": "orders.rds.app", "ready": true}},
                "databases": {
                    "orders": {"ready": true, "users": ["app"]},
                    "old": {"ready": false, "removed": true, "message": "left the spec"},
                },
                "access": {"app@orders": {"verified": true}},
            },
        });
        serde_json::from_value(object).expect("the fixture is an RDSDatabase")
    }

    #[test]
    fn i5_what_was_as_declared_is_so_until_it_is_seen_otherwise() {
        let visit = told_visit(&object(3, "True"), "inputs").expect("the status tells of a visit");
        assert_eq!((visit.inputs.as_str(), visit.at), ("inputs", Timestamp::UNIX_EPOCH));
        let report = visit.result.expect("the visit went well");
        assert!(report.settled() && report.verified());
        assert!(report.users.contains_key("app") && report.access.contains_key("app@orders"));
        assert!(report.databases.keys().eq(["orders"]) && report.removed_databases.iter().eq(["old"]));
    }

    #[test]
    fn another_generation_or_a_fault_is_no_proof() {
        assert_eq!(told_visit(&object(4, "True"), "inputs"), None);
        assert_eq!(told_visit(&object(3, "False"), "inputs"), None);
    }
}
