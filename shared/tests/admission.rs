//! What admission answers, as tables of specifications.

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use shared::rules::{Reason, Subject, Verdict, create, delete, parse, update};

const TODAY: Date = date(2026, 11, 23);

fn subject(spec: &Value) -> Subject<'_> {
    Subject { name: Some("orders"), generate_name: None, spec, last_applied: None }
}

fn created(spec: &Value) -> Verdict {
    create(&subject(spec), TODAY)
}

fn updated(old: &Value, new: &Value) -> Verdict {
    update(&subject(new), &subject(old), TODAY)
}

fn lines(verdict: &Verdict) -> Vec<String> {
    verdict.errors.iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_is_admitted() {
    let spec = json!({
        "type": "Postgresql", "version": "18", "size": "20Gi", "masteruser": "sysadmin",
        "users": {"app": ["createdb"], "report": []},
        "databases": {"orders": ["app", "report"]},
        "backup": {"every": "24h", "retention": "7d"},
        "className": "gold", "instanceClass": "db.t4g.micro", "deletionPolicy": "Snapshot",
        "deletionProtection": false, "paused": false,
    });
    assert_eq!(created(&spec), Verdict::default());
}

#[test]
fn an_empty_specification_is_admitted_with_both_warnings() {
    for spec in [json!(null), json!({}), json!({"users": null, "size": null})] {
        let verdict = created(&spec);
        assert_eq!(lines(&verdict), [""; 0]);
        assert_eq!(
            verdict.warnings,
            [
                "spec.version: PostgreSQL 12 is in paid Extended Support since 2025-03-01, until 2028-02-29; the newest is 18",
                "spec.size: 20Gi are allocated, the smallest volume RDS offers",
            ]
        );
    }
}

#[test]
fn every_mistake_is_refused_with_its_field() {
    use Reason::{Duplicate, Forbidden, Invalid, NotSupported, TooLong};
    let many_users: serde_json::Map<_, _> = (0..501).map(|n| (format!("u{n}"), json!([]))).collect();
    let many_flags = vec!["login"; 501];
    for (spec, field, reason, said) in [
        (json!("text"), "spec", Invalid, "must be a map of fields, not the text \"text\""),
        (json!([]), "spec", Invalid, "not a list"),
        (
            json!({"type": "oracle"}),
            "spec.type",
            NotSupported,
            "\"oracle\" is not an engine: write Postgresql or MySQL",
        ),
        (json!({"type": "postgres"}), "spec.type", NotSupported, "did you mean \"Postgresql\"?"),
        (json!({"type": true}), "spec.type", Invalid, "must be a text, not the boolean true"),
        (json!({"version": 11}), "spec.version", NotSupported, "write 12, 13, 14, 15, 16, 17 or 18"),
        (json!({"version": "19"}), "spec.version", NotSupported, "\"19\" is not a version of PostgreSQL"),
        (json!({"version": "8.4"}), "spec.version", NotSupported, "; for MySQL, write its type as well"),
        (json!({"type": "MySQL", "version": 16}), "spec.version", Invalid, "; for PostgreSQL, write its type as well"),
        (json!({"version": "latest"}), "spec.version", Invalid, "such as \"12\" or \"12.22\""),
        (json!({"version": 12.22}), "spec.version", Invalid, "quote it, such as \"12.22\""),
        (json!({"version": -12}), "spec.version", Invalid, "\"-12\" is not a version"),
        (json!({"version": ["12"]}), "spec.version", Invalid, "must be a text or a whole number, not a list"),
        (json!({"type": "MySQL", "version": 8.4}), "spec.version", Invalid, "quote it, such as \"8.4\""),
        (json!({"type": "MySQL", "version": 8}), "spec.version", Invalid, "such as \"8.4\" or \"8.4.3\""),
        (json!({"type": "MySQL", "version": "5.7"}), "spec.version", NotSupported, "write 8.0 or 8.4"),
        (json!({"type": "MySQL", "version": "12"}), "spec.version", Invalid, "is not a version of MySQL"),
        (json!({"size": "10"}), "spec.size", Invalid, "did you mean \"10GB\"?"),
        (json!({"size": 10}), "spec.size", Invalid, "10 has no unit: write \"10GB\""),
        (json!({"size": "0GB"}), "spec.size", Invalid, "is no size"),
        (json!({"size": "-5GB"}), "spec.size", Invalid, "is not a size"),
        (json!({"size": "65537Gi"}), "spec.size", Invalid, "larger than RDS's largest volume of 65536Gi"),
        (json!({"masteruser": "admin"}), "spec.masteruser", Forbidden, "reserved by RDS for PostgreSQL"),
        (json!({"masteruser": "rdsadmin"}), "spec.masteruser", Forbidden, "RDS keeps names"),
        (json!({"masteruser": "Sys-Admin"}), "spec.masteruser", Invalid, "did you mean \"sys_admin\"?"),
        (json!({"masteruser": ""}), "spec.masteruser", Invalid, "\"\" is not a master user name"),
        (json!({"masteruser": "x".repeat(64)}), "spec.masteruser", TooLong, "has 64 characters"),
        (json!({"users": []}), "spec.users", Invalid, "must be a map from the names of users to lists, not a list"),
        (json!({"users": many_users}), "spec.users", TooLong, "has 501 users: at most 500"),
        (json!({"users": {"App": []}}), "spec.users[App]", Invalid, "did you mean \"app\"?"),
        (json!({"users": {"a\nb": []}}), "spec.users[a\\u{a}b]", Invalid, "\"a\\u{a}b\" is not a user name"),
        (json!({"users": {"App": null}}), "spec.users[App]", Invalid, "did you mean \"app\"?"),
        (json!({"users": {"app_": []}}), "spec.users[app_]", Invalid, "last a letter or digit"),
        (
            json!({"users": {"master": []}}),
            "spec.users[master]",
            Forbidden,
            "the Secret of the master user has this name",
        ),
        (json!({"users": {"sysadmin": []}}), "spec.users[sysadmin]", Forbidden, "is the master user already"),
        (json!({"users": {"public": []}}), "spec.users[public]", Forbidden, "is reserved"),
        (json!({"users": {"pg_app": []}}), "spec.users[pg_app]", Forbidden, "begin with pg_"),
        (json!({"users": {"select": []}}), "spec.users[select]", Forbidden, "key word of SQL"),
        (json!({"users": {"app": "createdb"}}), "spec.users[app]", Invalid, "must be a list of role flags"),
        (json!({"users": {"app": {}}}), "spec.users[app]", Invalid, "not a map"),
        (json!({"users": {"app": ["creatdb"]}}), "spec.users[app][0]", NotSupported, "did you mean \"createdb\"?"),
        (json!({"users": {"app": [null]}}), "spec.users[app][0]", Invalid, "must be a text, not null"),
        (json!({"users": {"app": ["login", "nologin"]}}), "spec.users[app][1]", Invalid, "contradicts \"login\""),
        (json!({"users": {"app": ["login", "LOGIN"]}}), "spec.users[app][1]", Duplicate, "is written twice"),
        (json!({"users": {"app": many_flags}}), "spec.users[app]", TooLong, "has 501 entries: at most 14"),
        (json!({"databases": "orders"}), "spec.databases", Invalid, "must be a map"),
        (json!({"databases": {"Orders": []}}), "spec.databases[Orders]", Invalid, "did you mean \"orders\"?"),
        (
            json!({"databases": {"postgres": []}}),
            "spec.databases[postgres]",
            Forbidden,
            "every PostgreSQL server has it",
        ),
        (json!({"databases": {"sysadmin": []}}), "spec.databases[sysadmin]", Forbidden, "name of the master user"),
        (
            json!({"databases": {"orders": ["app"]}}),
            "spec.databases[orders][0]",
            Invalid,
            "\"app\" is not in spec.users",
        ),
        (json!({"databases": {"orders": ["sysadmin"]}}), "spec.databases[orders][0]", Forbidden, "is the master user"),
        (
            json!({"users": {"report": []}, "databases": {"orders": ["report", "repot"]}}),
            "spec.databases[orders][1]",
            Invalid,
            "\"repot\" is not in spec.users; did you mean \"report\"?",
        ),
        (
            json!({"users": {"app": []}, "databases": {"orders": ["app", "app"]}}),
            "spec.databases[orders][1]",
            Duplicate,
            "\"app\" is listed twice",
        ),
        (
            json!({"users": {"app": null}, "databases": {"orders": ["app"]}}),
            "spec.databases[orders][0]",
            Invalid,
            "is null in spec.users, which means absent: write app: [] there",
        ),
        (json!({"backup": "daily"}), "spec.backup", Invalid, "must be a map such as {every: 24h, retention: 7d}"),
        (json!({"backup": {"every": "daily"}}), "spec.backup.every", Invalid, "is not a duration"),
        (json!({"backup": {"every": "5m"}}), "spec.backup.every", Invalid, "is 30m to 35d"),
        (json!({"backup": {"every": 24}}), "spec.backup.every", Invalid, "must be a text, not the number 24"),
        (json!({"backup": {"retention": "0d"}}), "spec.backup.retention", Invalid, "would turn automated backups off"),
        (json!({"backup": {"retention": "36h"}}), "spec.backup.retention", Invalid, "whole number of days"),
        (json!({"backup": {"retention": "36d"}}), "spec.backup.retention", Invalid, "longer than the 35 days"),
        (json!({"backup": {"evry": "6h"}}), "spec.backup.evry", NotSupported, "did you mean \"every\"?"),
        (json!({"className": "Gold"}), "spec.className", Invalid, "cannot be the name of an RDSDatabaseClass"),
        (json!({"instanceClass": "t4g.micro"}), "spec.instanceClass", Invalid, "did you mean \"db.t4g.micro\"?"),
        (json!({"instanceClass": "db.micro"}), "spec.instanceClass", Invalid, "such as db.t4g.micro"),
        (json!({"deletionPolicy": "delete"}), "spec.deletionPolicy", NotSupported, "did you mean \"Delete\"?"),
        (
            json!({"deletionProtection": "yes"}),
            "spec.deletionProtection",
            Invalid,
            "must be true or false, without quotes",
        ),
        (json!({"paused": 1}), "spec.paused", Invalid, "not the number 1"),
        (json!({"databse": {}}), "spec.databse", NotSupported, "did you mean \"databases\"?"),
        (json!({"storage": "10GB"}), "spec.storage", NotSupported, "did you mean \"size\"?"),
    ] {
        let verdict = created(&spec);
        let [violation] = verdict.errors.as_slice() else { panic!("{spec}: {:?}", lines(&verdict)) };
        assert_eq!((violation.field.as_str(), violation.reason), (field, reason), "{spec}: {violation}");
        assert!(violation.message.contains(said), "{spec}: {violation}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_fields() {
    let spec = json!({
        "size": "ten", "users": {"App": ["x", "y"]}, "databases": {"d": ["nobody", 3]}, "backup": {"retention": "1y"}, "foo": 1,
    });
    let verdict = create(&Subject { name: Some("Orders"), ..subject(&spec) }, TODAY);
    let fields: Vec<&str> = verdict.errors.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "metadata.name",
            "spec.size",
            "spec.users[App]",
            "spec.users[App][0]",
            "spec.users[App][1]",
            "spec.databases[d][0]",
            "spec.databases[d][1]",
            "spec.backup.retention",
            "spec.foo",
        ]
    );
}

#[test]
fn what_nobody_would_read_is_only_counted() {
    let members: Vec<String> = (0..500).map(|n| format!("nobody{n}")).collect();
    let databases: serde_json::Map<_, _> = (0..500).map(|n| (format!("d{n}"), json!(members))).collect();
    let verdict = created(&json!({"databases": databases}));
    assert_eq!(verdict.errors.len(), 101);
    assert_eq!(verdict.errors[100].to_string(), "spec: has 249900 more mistakes");
}

#[test]
fn a_bad_user_name_is_not_also_a_missing_user() {
    let verdict = created(&json!({"users": {"App": []}, "databases": {"orders": ["App"]}}));
    assert_eq!(verdict.errors.len(), 1, "{:?}", lines(&verdict));
}

#[test]
fn names_of_objects_are_judged_given_or_generated() {
    let spec = json!({});
    let too_long = "x".repeat(60);
    let at = |name, generate_name| create(&Subject { name, generate_name, ..subject(&spec) }, TODAY).errors;
    assert!(at(Some("orders"), None).is_empty());
    assert!(at(None, Some("orders-")).is_empty());
    assert!(at(Some(""), Some("orders-")).is_empty());
    assert_eq!(at(Some("1st"), None)[0].field, "metadata.name");
    assert_eq!(at(Some(&too_long), None)[0].reason, Reason::TooLong);
    assert_eq!(at(None, Some("1-"))[0].field, "metadata.generateName");
}

#[test]
fn what_authors_are_warned_of() {
    for (spec, warning) in [
        (json!({"type": "MySQL"}), "spec.type: MySQL is not supported yet: the object is kept, but nothing is created"),
        (
            json!({"version": 13}),
            "spec.version: PostgreSQL 13 is in paid Extended Support since 2026-03-01, until 2029-02-28; the newest is 18",
        ),
        (json!({"users": {"a": ["superuser"]}}), "spec.users[a]: RDS grants rds_superuser for superuser"),
        (json!({"users": {"a": ["REPLICATION"]}}), "spec.users[a]: RDS grants rds_replication for replication"),
        (json!({"users": {"a": ["createrole"]}}), "spec.users[a]: createrole can reset any password before 16"),
        (json!({"users": {"a": ["bypassrls"]}}), "spec.users[a]: RDS may refuse bypassrls to its master user"),
        (json!({"users": {"a": null}}), "spec.users[a] is null, which means absent: write [] to have the user"),
        (
            json!({"backup": {"every": "6h"}}),
            "spec.backup.every: 6h is not scheduled yet: RDS makes one automated backup a day",
        ),
        (
            json!({"deletionPolicy": "Delete"}),
            "spec.deletionPolicy: Delete makes no final snapshot: the data goes with the object",
        ),
    ] {
        let verdict = created(&spec);
        assert!(verdict.admitted(), "{spec}: {:?}", lines(&verdict));
        assert!(verdict.warnings.iter().any(|said| said == warning), "{spec}: {:#?}", verdict.warnings);
    }
}

#[test]
fn what_needs_no_warning() {
    let base = json!({"version": "18", "size": "20Gi"});
    for addition in [
        json!({"users": {"a": ["createdb", "NOSUPERUSER", "createrole"]}}),
        json!({"backup": {"every": "1d", "retention": "5w"}}),
        json!({"size": "22GB"}),
        json!({"deletionPolicy": "Retain"}),
    ] {
        let mut spec = base.clone();
        spec.as_object_mut().unwrap().extend(addition.as_object().unwrap().clone());
        assert_eq!(created(&spec), Verdict::default(), "{spec}");
    }
}

#[test]
fn support_ends_by_the_day_that_is_given() {
    let spec = json!({"version": "13", "size": "20Gi"});
    let on = |day| create(&subject(&spec), day).warnings;
    assert!(on(date(2026, 2, 28)).is_empty());
    assert!(on(date(2026, 3, 1))[0].contains("paid Extended Support since 2026-03-01"));
    assert!(on(date(2029, 2, 28))[0].contains("paid Extended Support"));
    assert!(on(date(2029, 3, 1))[0].contains("ended on 2029-02-28"));
}

#[test]
fn long_names_leave_warnings_whole() {
    let user = "u".repeat(63);
    let verdict = created(&json!({"users": {&user: ["superuser", "replication", "createrole", "bypassrls"]}}));
    assert!(verdict.warnings.iter().all(|warning| warning.chars().count() <= 120 && !warning.contains('…')));
}

#[test]
fn what_may_not_change() {
    for (old, new, field, said) in [
        (json!({}), json!({"type": "MySQL", "version": "8.4"}), "spec.type", "the engine never changes"),
        (json!({}), json!({"masteruser": "root_of_all"}), "spec.masteruser", "it stays \"sysadmin\""),
        (json!({"version": "15"}), json!({"version": "14"}), "spec.version", "cannot go back from 15 to 14"),
        (json!({"version": "15.6"}), json!({"version": "15.5"}), "spec.version", "cannot go back from 15.6 to 15.5"),
        (
            json!({"version": "15"}),
            json!({"version": "16"}),
            "spec.version",
            "a major upgrade from 15 to 16 is not offered yet",
        ),
        (json!({"size": "100GB"}), json!({"size": "50GB"}), "spec.size", "94Gi are allocated, 47Gi would be asked for"),
    ] {
        let verdict = updated(&old, &new);
        let [violation] = verdict.errors.as_slice() else { panic!("{old} to {new}: {:?}", lines(&verdict)) };
        assert_eq!((violation.field.as_str(), violation.reason), (field, Reason::Forbidden), "{old} to {new}");
        assert!(violation.message.contains(said), "{violation}");
    }
}

#[test]
fn what_may_change() {
    for (old, new) in [
        (json!({"type": "postgresql"}), json!({"type": "Postgresql"})),
        (json!({"version": 12}), json!({"version": "12.22"})),
        (json!({"version": "12.22"}), json!({"version": "12"})),
        (json!({"version": "12.22"}), json!({"version": "12.22-rds.20250814"})),
        (json!({"version": "12.22-rds.20250814"}), json!({"version": "12.22"})),
        (json!({"size": "15GB"}), json!({"size": "10GB"})),
        (json!({"size": "20Gi"}), json!({"size": "200Gi"})),
        (json!({"users": {"a": [], "b": []}}), json!({"users": {"a": ["createdb"]}})),
        (json!({"users": {"a": []}, "databases": {"d": ["a"]}}), json!({"users": {}, "databases": {}})),
        (json!({"deletionProtection": true}), json!({"deletionProtection": false})),
        (json!({"size": "100GB"}), json!({})),
    ] {
        assert!(updated(&old, &new).admitted(), "{old} to {new}: {:?}", lines(&updated(&old, &new)));
    }
}

#[test]
fn what_authors_are_warned_of_when_they_change_something() {
    for (old, new, warning) in [
        (
            json!({"size": "100Gi"}),
            json!({"size": "105Gi"}),
            "spec.size: RDS grows volumes by at least 10 %: 100Gi become 110Gi instead of 105Gi",
        ),
        (json!({"size": "100GB"}), json!({}), "spec.size left the manifest and keeps 100GB: to change it, write it"),
        (
            json!({"users": {"a": []}}),
            json!({}),
            "spec.users left the manifest and keeps its value: to change it, write it",
        ),
        (
            json!({"databases": {"d": []}}),
            json!({"databases": {}}),
            "spec.databases[d] is kept with its data: only its users lose access",
        ),
    ] {
        let verdict = updated(&old, &new);
        assert!(verdict.warnings.iter().any(|said| said == warning), "{old} to {new}: {:#?}", verdict.warnings);
    }
}

#[test]
fn an_old_mistake_that_is_not_touched_only_warns() {
    let old = json!({"size": "ten", "users": {"App": []}});
    let verdict = updated(&old, &json!({"size": "ten", "users": {"App": []}, "paused": true}));
    assert!(verdict.admitted(), "{:?}", lines(&verdict));
    assert!(
        verdict.warnings.iter().any(|warning| warning.starts_with("unchanged, but still wrong: spec.size: \"ten\""))
    );
    // Touched and still wrong is refused; so is a mistake that is new.
    assert_eq!(updated(&old, &json!({"size": "eleven", "users": {"App": []}})).errors[0].field, "spec.size");
    assert_eq!(
        updated(&old, &json!({"size": "ten", "users": {"App": []}, "paused": 1})).errors[0].field,
        "spec.paused"
    );
}

#[test]
fn a_null_that_would_remove_something_is_refused() {
    let old = json!({"users": {"app": [], "report": []}, "databases": {"orders": []}});
    // kubectl does not send the nulls of client-side apply; its annotation has them.
    let new = json!({"users": {"report": []}, "databases": {}});
    let applied = json!({"users": {"app": null, "report": []}, "databases": {"orders": null}});
    let verdict = update(&Subject { last_applied: Some(&applied), ..subject(&new) }, &subject(&old), TODAY);
    let fields: Vec<&str> = verdict.errors.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["spec.users[app]", "spec.databases[orders]"]);
    assert!(verdict.errors[0].message.contains("write app: [] to keep it, or remove the line to remove it"));
    // Server-side apply sends them.
    assert_eq!(updated(&old, &json!({"users": {"app": null, "report": []}})).errors[0].field, "spec.users[app]");
    // A line that is gone is a wish; a null for what was never there is none.
    let applied = json!({"users": {"report": [], "ghost": null}});
    assert!(update(&Subject { last_applied: Some(&applied), ..subject(&new) }, &subject(&old), TODAY).admitted());
}

#[test]
fn protection_holds_until_it_is_taken_away() {
    assert_eq!(delete(&json!({"deletionProtection": true})).errors[0].field, "spec.deletionProtection");
    for spec in [json!(null), json!({}), json!({"deletionProtection": false}), json!({"deletionProtection": null})] {
        assert!(delete(&spec).admitted(), "{spec}");
    }
}

#[test]
fn what_is_parsed_is_what_was_written() {
    let spec = json!({
        "type": "postgresql", "version": "12.22", "size": "100GB", "masteruser": "root_of_all",
        "users": {"app": ["CREATEDB", "nologin"], "report": [], "gone": null},
        "databases": {"orders": ["app", "report"], "gone": null},
        "backup": {"every": "6h", "retention": "2w"},
        "className": "gold.eu", "instanceClass": "db.r6g.large", "deletionPolicy": "Retain", "paused": true,
    });
    let desired = parse("orders", &spec).unwrap();
    assert_eq!(desired.version.to_string(), "12.22");
    assert_eq!(desired.size.allocated().get(), 94);
    assert_eq!(desired.master_user.as_str(), "root_of_all");
    assert_eq!(desired.users.keys().map(AsRef::as_ref).collect::<Vec<&str>>(), ["app", "report"]);
    assert_eq!(desired.users["app"].words(), ["createdb", "nologin"]);
    assert_eq!(desired.databases["orders"].len(), 2);
    assert_eq!(desired.databases.len(), 1);
    assert_eq!((desired.backup.every.as_secs(), desired.backup.retention_days), (21_600, 14));
    assert_eq!(desired.class_name.as_deref(), Some("gold.eu"));
    assert_eq!((desired.deletion_protection, desired.paused), (false, true));
}

#[test]
fn a_specification_without_defaults_is_not_parsed() {
    let fields: Vec<String> =
        parse("orders", &json!({})).unwrap_err().into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["spec.type", "spec.size", "spec.masteruser", "spec.backup"]);
}
