use serde_json::json;

use super::*;

fn object(spec: &serde_json::Value) -> RDSDatabase {
    let object = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": "orders"}, "spec": spec,
    });
    serde_json::from_value(object).expect("the fixture is an RDSDatabase")
}

fn status() -> RDSDatabaseStatus {
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Ready", "message": "x".repeat(4096),
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let status = json!({
        "observedGeneration": 3,
        "conditions": [ready],
        "users": {"app": {"secret": "orders.rds.app", "ready": true}},
        "databases": {
            "orders": {"ready": true, "users": ["app"], "oid": 16384},
            "old": {"ready": false, "removed": true, "oid": 16385, "message": "left the spec"},
            "new": {"ready": false, "users": ["app"], "message": "permission denied"},
        },
        "logins": {"verified": 7, "failed": 1, "failures": {"app@new": "no such database"}},
    });
    serde_json::from_value(status).expect("the fixture is a status")
}

#[test]
fn texts_are_cut_by_what_they_take_in_json() {
    assert_eq!(clipped("short", 300), "short");
    assert_eq!(clipped(&"x".repeat(300), 300), "x".repeat(300));
    assert_eq!(clipped(&"x".repeat(301), 300), format!("{}…", "x".repeat(297)));
    for text in ["\"\\", "<", "\u{1}\n", "ü", "x<ü\""] {
        let cut = clipped(&text.repeat(1_000), 300);
        let taken: usize = cut.chars().map(width).sum();
        assert!(cut.ends_with('…') && taken <= 300 && taken > 280, "{taken}: {cut}");
    }
}

#[test]
fn i2_a_status_that_is_too_large_still_knows_each_database_by_its_oid() {
    let short = shortened(&status(), &RDSDatabaseStatus::default(), Timestamp::UNIX_EPOCH);
    assert!(short.users.is_empty());
    let oids: Vec<_> = short.databases.iter().map(|(name, found)| (name.as_str(), found.oid)).collect();
    assert_eq!(oids, [("old", Some(16385)), ("orders", Some(16384))]);
    let logins = short.logins.expect("they are counted");
    assert_eq!((logins.verified, logins.failed, logins.failures.len()), (7, 1, 0));
    assert!(short.conditions.iter().all(|condition| condition.message.len() <= SHORT_MESSAGE));
}

#[test]
fn i5_a_status_that_stays_too_large_is_written_once() {
    let first = shortened(&status(), &RDSDatabaseStatus::default(), Timestamp::UNIX_EPOCH);
    assert!(why_shortened(&first).is_some_and(|why| why.contains("1 user and 3 databases are not listed")));
    let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1);
    assert_eq!(shortened(&status(), &first, later), first);
}

#[test]
fn i13_what_goes_beyond_what_kubernetes_stores_is_seen_before_it_is_written() {
    let members = |count: usize| -> Vec<String> { (0..count).map(|n| format!("{n:060}")).collect() };
    let spec = |count| json!({"databases": {"orders": members(count)}});
    assert!(fits(&object(&spec(10_000)), &status()));
    assert!(!fits(&object(&spec(25_000)), &status()));
}
