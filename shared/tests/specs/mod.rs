//! Specifications and what becomes of them. The rules are held to them here, and the API server's schema in the end-to-end
//! tests.

use serde_json::{Map, Value, json};

/// A specification with one mistake.
pub(crate) struct Refused {
    pub(crate) spec: Value,
    /// The field that is told.
    pub(crate) field: &'static str,
    /// The cause Kubernetes is told, without `FieldValue` before it.
    pub(crate) reason: &'static str,
    /// A part of the message.
    pub(crate) said: &'static str,
    /// Whether the API server refuses it by itself.
    #[allow(dead_code, reason = "read by the end-to-end tests")]
    pub(crate) by_schema: bool,
}

/// Specifications with nothing wrong in them.
pub(crate) fn admitted() -> Vec<Value> {
    vec![
        json!(null),
        json!({}),
        json!({"type": null, "version": null, "size": null, "masteruser": null, "users": null, "databases": null}),
        json!({"backup": null, "className": null, "instanceClass": null, "deletionPolicy": null}),
        json!({"deletionProtection": null, "paused": null, "backup": {"every": null, "retention": null}}),
        json!({"users": {"a": null}, "databases": {"d": null}}),
        json!({"type": "postgresql", "version": 12}),
        json!({"type": "Postgresql", "version": "12.22-rds.20250814"}),
        json!({"type": "MySQL", "version": "8.4"}),
        json!({"type": "mysql", "version": "8.0.36", "masteruser": "admin", "users": {"postgres": []}}),
        json!({"masteruser": "postgres"}),
        json!({"size": "1e1GB"}),
        json!({"size": "1.5TiB"}),
        json!({"size": "65536Gi"}),
        json!({
            "users": {"a": ["superuser", "CREATEDB", "NoLogin"], "b_c1": []},
            "databases": {"d": ["a", "b_c1"], "e": []},
        }),
        json!({"backup": {"every": "30m", "retention": "35d"}}),
        json!({"backup": {"every": "5w", "retention": "24h"}}),
        json!({"backup": {"every": "365d", "retention": "3650d"}}),
        json!({"backup": {"every": "5d", "retention": "100d"}}),
        json!({"className": "gold.eu", "instanceClass": "db.r6gd.2xlarge", "deletionPolicy": "Retain"}),
        json!({"deletionProtection": true, "paused": true}),
    ]
}

/// Most users of all databases together that are admitted, in [`crowded`].
#[allow(dead_code, reason = "too large to be in every table")]
pub(crate) const MOST_MEMBERS: usize = 192 * 1024 / (20 + 3);

/// As many users and databases as there may be, with this many users of all databases together, each of 20 letters.
#[allow(dead_code, reason = "too large to be in every table")]
pub(crate) fn crowded(members: usize) -> Value {
    let users: Vec<String> = (0..500).map(|n| format!("user_of_the_shop_{n:03}")).collect();
    let flags: Map<_, _> = users.iter().map(|user| (user.clone(), json!(["login", "createdb"]))).collect();
    let databases: Map<_, _> =
        (0..500).map(|n| (format!("d{n}"), json!(users[..members / 500 + usize::from(n < members % 500)]))).collect();
    json!({"users": flags, "databases": databases})
}

/// Specifications that are wrong in one way each.
pub(crate) fn refused() -> Vec<Refused> {
    let many_users: Map<_, _> = (0..501).map(|n| (format!("u{n}"), json!([]))).collect();
    let many_flags = vec!["login"; 501];
    [
        (json!("text"), "spec", "Invalid", "must be a map of fields, not the text \"text\"", true),
        (json!([]), "spec", "Invalid", "not a list", true),
        (
            json!({"type": "oracle"}),
            "spec.type",
            "NotSupported",
            "\"oracle\" is not an engine: write Postgresql or MySQL",
            true,
        ),
        (json!({"type": "postgres"}), "spec.type", "NotSupported", "did you mean \"Postgresql\"?", true),
        (json!({"type": true}), "spec.type", "Invalid", "must be a text, not the boolean true", true),
        (json!({"version": 11}), "spec.version", "NotSupported", "write 12, 13, 14, 15, 16, 17 or 18", true),
        (json!({"version": "19"}), "spec.version", "NotSupported", "\"19\" is not a version of PostgreSQL", true),
        (json!({"version": "8.4"}), "spec.version", "NotSupported", "; for MySQL, write its type as well", true),
        (
            json!({"type": "MySQL", "version": 16}),
            "spec.version",
            "Invalid",
            "; for PostgreSQL, write its type as well",
            true,
        ),
        (json!({"version": "latest"}), "spec.version", "Invalid", "such as \"12\" or \"12.22\"", true),
        (json!({"version": 12.22}), "spec.version", "Invalid", "quote it, such as \"12.22\"", true),
        (json!({"version": -12}), "spec.version", "Invalid", "\"-12\" is not a version", true),
        (json!({"version": ["12"]}), "spec.version", "Invalid", "must be a text or a whole number, not a list", true),
        (json!({"type": "MySQL", "version": 8.4}), "spec.version", "Invalid", "quote it, such as \"8.4\"", true),
        (json!({"type": "MySQL", "version": 8}), "spec.version", "Invalid", "such as \"8.4\" or \"8.4.3\"", true),
        (json!({"type": "MySQL", "version": "5.7"}), "spec.version", "NotSupported", "write 8.0 or 8.4", true),
        (json!({"type": "MySQL", "version": "12"}), "spec.version", "Invalid", "is not a version of MySQL", true),
        (json!({"size": "10"}), "spec.size", "Invalid", "did you mean \"10GB\"?", true),
        (json!({"size": 10}), "spec.size", "Invalid", "10 has no unit: write \"10GB\"", true),
        (json!({"size": "0GB"}), "spec.size", "Invalid", "is no size", false),
        (json!({"size": "-5GB"}), "spec.size", "Invalid", "is not a size", true),
        (json!({"size": "65537Gi"}), "spec.size", "Invalid", "larger than RDS's largest volume of 65536Gi", false),
        (json!({"masteruser": "admin"}), "spec.masteruser", "Forbidden", "reserved by RDS for PostgreSQL", true),
        (json!({"masteruser": "rdsadmin"}), "spec.masteruser", "Forbidden", "RDS keeps names", true),
        (json!({"masteruser": "Sys-Admin"}), "spec.masteruser", "Invalid", "did you mean \"sys_admin\"?", true),
        (json!({"masteruser": ""}), "spec.masteruser", "Invalid", "\"\" is not a master user name", true),
        (json!({"masteruser": "x".repeat(64)}), "spec.masteruser", "TooLong", "has 64 characters", true),
        (
            json!({"users": []}),
            "spec.users",
            "Invalid",
            "must be a map from the names of users to lists, such as {app: []}, not a list",
            true,
        ),
        (json!({"users": many_users}), "spec.users", "TooLong", "has 501 users: at most 500", true),
        (json!({"users": {"App": []}}), "spec.users[App]", "Invalid", "did you mean \"app\"?", true),
        (json!({"users": {"a\nb": []}}), "spec.users[a\\u{a}b]", "Invalid", "\"a\\u{a}b\" is not a user name", true),
        (json!({"users": {"App": null}}), "spec.users[App]", "Invalid", "did you mean \"app\"?", true),
        (json!({"users": {"app_": []}}), "spec.users[app_]", "Invalid", "last a letter or digit", true),
        (
            json!({"users": {"master": []}}),
            "spec.users[master]",
            "Forbidden",
            "the Secret of the master user has this name",
            true,
        ),
        (json!({"users": {"sysadmin": []}}), "spec.users[sysadmin]", "Forbidden", "is the master user already", true),
        (json!({"users": {"public": []}}), "spec.users[public]", "Forbidden", "is reserved", true),
        (json!({"users": {"pg_app": []}}), "spec.users[pg_app]", "Forbidden", "begin with pg_", true),
        (json!({"users": {"select": []}}), "spec.users[select]", "Forbidden", "key word of SQL", false),
        (json!({"users": {"app": "createdb"}}), "spec.users[app]", "Invalid", "must be a list of role flags", true),
        (json!({"users": {"app": {}}}), "spec.users[app]", "Invalid", "not a map", true),
        (
            json!({"users": {"app": ["creatdb"]}}),
            "spec.users[app][0]",
            "NotSupported",
            "did you mean \"createdb\"?",
            true,
        ),
        (json!({"users": {"app": [null]}}), "spec.users[app][0]", "Invalid", "must be a text, not null", true),
        (
            json!({"users": {"app": ["login", "nologin"]}}),
            "spec.users[app][1]",
            "Invalid",
            "contradicts \"login\"",
            false,
        ),
        (json!({"users": {"app": ["login", "LOGIN"]}}), "spec.users[app][1]", "Duplicate", "is written twice", false),
        (json!({"users": {"app": many_flags}}), "spec.users[app]", "TooLong", "has 501 entries: at most 14", true),
        (json!({"databases": "orders"}), "spec.databases", "Invalid", "must be a map", true),
        (json!({"databases": {"Orders": []}}), "spec.databases[Orders]", "Invalid", "did you mean \"orders\"?", true),
        (
            json!({"databases": {"postgres": []}}),
            "spec.databases[postgres]",
            "Forbidden",
            "every PostgreSQL server has it",
            true,
        ),
        (
            json!({"databases": {"sysadmin": []}}),
            "spec.databases[sysadmin]",
            "Forbidden",
            "name of the master user",
            false,
        ),
        (
            json!({"databases": {"orders": ["app"]}}),
            "spec.databases[orders][0]",
            "Invalid",
            "\"app\" is not in spec.users",
            true,
        ),
        (
            json!({"databases": {"orders": ["sysadmin"]}}),
            "spec.databases[orders][0]",
            "Forbidden",
            "is the master user",
            true,
        ),
        (
            json!({"users": {"report": []}, "databases": {"orders": ["report", "repot"]}}),
            "spec.databases[orders][1]",
            "Invalid",
            "\"repot\" is not in spec.users; did you mean \"report\"?",
            true,
        ),
        (
            json!({"users": {"app": []}, "databases": {"orders": ["app", "app"]}}),
            "spec.databases[orders][1]",
            "Duplicate",
            "\"app\" is listed twice",
            false,
        ),
        (
            json!({"users": {"app": null}, "databases": {"orders": ["app"]}}),
            "spec.databases[orders][0]",
            "Invalid",
            "is null in spec.users, which means absent: write app: [] there",
            true,
        ),
        (
            json!({"backup": "daily"}),
            "spec.backup",
            "Invalid",
            "must be a map such as {every: 24h, retention: 7d}",
            true,
        ),
        (json!({"backup": {"every": "daily"}}), "spec.backup.every", "Invalid", "is not a duration", true),
        (json!({"backup": {"every": "5m"}}), "spec.backup.every", "Invalid", "is 30m to 365d", true),
        (json!({"backup": {"every": 24}}), "spec.backup.every", "Invalid", "24 has no unit: write \"24h\"", true),
        (
            json!({"backup": {"retention": "0d"}}),
            "spec.backup.retention",
            "Invalid",
            "would turn automated backups off",
            true,
        ),
        (json!({"backup": {"retention": "36h"}}), "spec.backup.retention", "Invalid", "whole number of days", true),
        (json!({"backup": {"retention": "3651d"}}), "spec.backup.retention", "Invalid", "longer than ten years", true),
        (json!({"backup": {"retention": "36d"}}), "spec.backup.every", "Invalid", "1d would keep 36 snapshots", true),
        (
            json!({"backup": {"every": "25h", "retention": "35d"}}),
            "spec.backup.every",
            "Invalid",
            "at most 20 are kept of one database: write 2d or more",
            true,
        ),
        (json!({"backup": {"evry": "6h"}}), "spec.backup.evry", "NotSupported", "did you mean \"every\"?", false),
        (json!({"className": "Gold"}), "spec.className", "Invalid", "cannot be the name of an RDSDatabaseClass", true),
        (
            json!({"instanceClass": "t4g.micro"}),
            "spec.instanceClass",
            "Invalid",
            "did you mean \"db.t4g.micro\"?",
            true,
        ),
        (json!({"instanceClass": "db.micro"}), "spec.instanceClass", "Invalid", "such as db.t4g.micro", true),
        (json!({"deletionPolicy": "delete"}), "spec.deletionPolicy", "NotSupported", "did you mean \"Delete\"?", true),
        (
            json!({"deletionProtection": "yes"}),
            "spec.deletionProtection",
            "Invalid",
            "must be true or false, without quotes",
            true,
        ),
        (json!({"paused": 1}), "spec.paused", "Invalid", "not the number 1", true),
        // Unknown fields are pruned, unless strict validation is asked for, as kubectl does.
        (json!({"databse": {}}), "spec.databse", "NotSupported", "did you mean \"databases\"?", false),
        (json!({"disk": "10GB"}), "spec.disk", "NotSupported", "did you mean \"size\"?", false),
    ]
    .map(|(spec, field, reason, said, by_schema)| Refused { spec, field, reason, said, by_schema })
    .into_iter()
    .collect()
}

/// A change of a specification that is refused.
pub(crate) struct RefusedChange {
    pub(crate) change: Change,
    /// The field that is told.
    pub(crate) field: &'static str,
    /// A part of the message.
    pub(crate) said: &'static str,
    /// Whether the API server refuses it by itself.
    #[allow(dead_code, reason = "read by the end-to-end tests")]
    pub(crate) by_schema: bool,
}

/// A change of a specification.
pub(crate) struct Change {
    pub(crate) old: Value,
    /// The status at that time.
    pub(crate) status: Value,
    pub(crate) new: Value,
}

/// What may not become of a specification.
pub(crate) fn refused_changes() -> Vec<RefusedChange> {
    let none = json!({});
    let made = json!({"instance": {"identifier": "orders", "created": true}});
    let volume = |gib: u32| json!({"instance": {"identifier": "orders", "created": true}, "allocatedStorageGiB": gib});
    let runs = |version: &str| json!({"engineVersion": version});
    [
        (json!({}), &none, json!({"type": "MySQL", "version": "8.4"}), "spec.type", "the engine never changes", true),
        (json!({}), &none, json!({"masteruser": "root_of_all"}), "spec.masteruser", "it stays \"sysadmin\"", true),
        (
            json!({"masteruser": "boss"}),
            &none,
            json!({"masteruser": "sysadmin"}),
            "spec.masteruser",
            "it stays \"boss\"",
            true,
        ),
        (
            json!({}),
            &runs("12.22"),
            json!({"version": "17"}),
            "spec.version",
            "a major upgrade from 12 to 17 is an outage and cannot be taken back",
            true,
        ),
        // The API server does not know what the default is.
        (
            json!({}),
            &none,
            json!({"version": "17"}),
            "spec.version",
            "a major upgrade from 12 to 17 is an outage and cannot be taken back",
            false,
        ),
        (
            json!({"version": "15"}),
            &none,
            json!({"version": "14"}),
            "spec.version",
            "cannot go back from 15 to 14",
            true,
        ),
        (
            json!({"version": 15}),
            &none,
            json!({"version": "16.1"}),
            "spec.version",
            "upgrade from 15 to 16 is an outage and cannot be taken back",
            true,
        ),
        (
            json!({"version": "15.6"}),
            &none,
            json!({"version": "15.5"}),
            "spec.version",
            "cannot go back from 15.6",
            false,
        ),
        // Neither what is written nor what runs.
        (
            json!({"version": "15"}),
            &runs("16.4"),
            json!({"version": "17"}),
            "spec.version",
            "upgrade from 15 to 17 is an outage and cannot be taken back",
            true,
        ),
        (
            json!({"version": "15"}),
            &runs("16.4"),
            json!({"version": "14"}),
            "spec.version",
            "cannot go back from 15 to 14",
            true,
        ),
        (
            json!({"version": "15"}),
            &runs("16.4"),
            json!({"version": "16.3"}),
            "spec.version",
            "cannot go back from 16.4 to 16.3",
            false,
        ),
        (
            json!({"size": "100GB"}),
            &volume(94),
            json!({"size": "50GB"}),
            "spec.size",
            "94Gi are allocated, 47Gi would be",
            false,
        ),
        (
            json!({"size": "500Gi"}),
            &volume(100),
            json!({"size": "99Gi"}),
            "spec.size",
            "100Gi are allocated, 99Gi would be asked for; write 100Gi",
            false,
        ),
        (
            json!({"size": "100GB"}),
            &made,
            json!({"size": "50GB"}),
            "spec.size",
            "94Gi were asked for, 47Gi would be",
            false,
        ),
    ]
    .map(|(old, status, new, field, said, by_schema)| {
        let change = Change { old, status: status.clone(), new };
        RefusedChange { change, field, said, by_schema }
    })
    .into_iter()
    .collect()
}

/// What may become of a specification.
pub(crate) fn admitted_changes() -> Vec<Change> {
    let none = json!({});
    let unmade = json!({"instance": {"identifier": "orders", "created": false}});
    let volume = |gib: u32| json!({"instance": {"identifier": "orders", "created": true}, "allocatedStorageGiB": gib});
    let runs = |version: &str| json!({"engineVersion": version});
    [
        (json!({"type": "postgresql"}), &none, json!({"type": "Postgresql"})),
        // What was admitted without defaults gets them later.
        (
            json!({}),
            &volume(20),
            json!({
                "type": "Postgresql", "version": "12", "size": "10GB", "masteruser": "sysadmin",
                "backup": {"every": "24h", "retention": "7d"},
            }),
        ),
        // After a restore of a database with another master user.
        (
            json!({}),
            &json!({"instance": {"identifier": "orders", "created": true, "masterUser": "boss"}}),
            json!({"masteruser": "boss"}),
        ),
        (json!({"version": 12}), &none, json!({"version": "12.22"})),
        (json!({"version": "12.22"}), &none, json!({"version": "12"})),
        (json!({"version": "12.22"}), &none, json!({"version": "12.22-rds.20250814"})),
        (json!({"version": "12.22-rds.20250814"}), &none, json!({"version": "12.22"})),
        // After an upgrade in the console, or one that RDS forced.
        (json!({"version": "12"}), &runs("13.20"), json!({"version": "13"})),
        (json!({}), &runs("13.20"), json!({"version": 13})),
        (json!({"version": "12"}), &runs("13.20"), json!({"version": "13.21"})),
        (json!({"type": "MySQL", "version": "8.0"}), &runs("8.4.3"), json!({"type": "MySQL", "version": "8.4"})),
        // Before an upgrade that was admitted while the webhook was away.
        (json!({"version": "13"}), &runs("12.22"), json!({"version": "12"})),
        (json!({"version": "12"}), &runs("13.20"), json!({"version": "12.22"})),
        (json!({"size": "15GB"}), &none, json!({"size": "10GB"})),
        (json!({"size": "20Gi"}), &none, json!({"size": "200Gi"})),
        // A size that was never allocated can be taken back.
        (json!({"size": "5TB"}), &none, json!({"size": "50GB"})),
        (json!({"size": "5TB"}), &unmade, json!({"size": "50GB"})),
        (json!({"size": "5TB"}), &volume(94), json!({"size": "100GB"})),
        // The storage grew by itself: no update has to name what it became.
        (json!({"size": "100GB"}), &volume(200), json!({"size": "100GB", "paused": true})),
        (json!({"size": "100GB"}), &volume(200), json!({"size": "110GB"})),
        (json!({"users": {"a": [], "b": []}}), &none, json!({"users": {"a": ["createdb"]}})),
        (json!({"users": {"a": []}, "databases": {"d": ["a"]}}), &none, json!({"users": {}, "databases": {}})),
        (json!({"deletionProtection": true}), &none, json!({"deletionProtection": false})),
        (json!({"size": "100GB"}), &volume(94), json!({})),
    ]
    .map(|(old, status, new)| Change { old, status: status.clone(), new })
    .into_iter()
    .collect()
}
