//! What admission answers, as tables of specifications.

mod changes;
#[path = "../specs/mod.rs"]
mod specs;

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use shared::rules::{DefaultVersions, Rule, Subject, Verdict, create, delete, insert, parse};

use crate::specs::Refused;

const TODAY: Date = date(2026, 11, 23);

fn subject(spec: &Value) -> Subject<'_> {
    Subject::new("orders", spec)
}

fn created(spec: &Value) -> Verdict {
    create(&subject(spec), TODAY)
}

fn lines(verdict: &Verdict) -> Vec<String> {
    verdict.errors.iter().map(ToString::to_string).collect()
}

fn told(verdict: &Verdict) -> Vec<String> {
    verdict.warnings.iter().map(ToString::to_string).collect()
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
fn nobody_is_warned_of_what_they_did_not_write_but_of_what_it_costs() {
    for spec in [json!(null), json!({}), json!({"users": null, "size": null})] {
        let verdict = created(&spec);
        assert_eq!(lines(&verdict), [""; 0]);
        assert_eq!(
            told(&verdict),
            [
                "spec.version: PostgreSQL 12 is in paid Extended Support (engineLifecycleSupport), dearer from 2027-03-01; newest: 18"
            ]
        );
    }
    let about_size = |verdict: &Verdict| verdict.warnings.iter().any(|warning| warning.rule == Rule::SizeBelowMinimum);
    assert!(about_size(&created(&json!({"size": "10GB"}))));
    // Who is asked last may have before it what was filled in, and whoever wrote it was told already.
    assert!(!about_size(&insert(&subject(&json!({"size": "10GB"})), TODAY)));
    assert!(about_size(&insert(&subject(&json!({"size": "15GB"})), TODAY)));
    // The platform's default is no mistake of the author's.
    let versions = DefaultVersions::given(&["postgresql=16.4".parse().unwrap()]).unwrap();
    let about_role = |spec: Value| {
        let verdict = create(&Subject { versions, ..subject(&spec) }, TODAY);
        verdict.warnings.iter().any(|warning| warning.rule == Rule::RoleNotKept)
    };
    assert!(!about_role(json!({})));
    assert!(about_role(json!({"version": "16.4"})));
}

#[test]
fn every_mistake_is_refused_with_its_field() {
    for Refused { spec, field, reason, said, .. } in specs::refused() {
        let verdict = created(&spec);
        let [violation] = verdict.errors.as_slice() else { panic!("{spec}: {:?}", lines(&verdict)) };
        assert_eq!(violation.field, field, "{spec}: {violation}");
        assert_eq!(violation.reason().as_str(), format!("FieldValue{reason}"), "{spec}: {violation}");
        assert!(violation.message.contains(said), "{spec}: {violation}");
    }
}

#[test]
fn what_is_right_is_admitted() {
    for spec in specs::admitted() {
        assert!(created(&spec).admitted(), "{spec}: {:?}", lines(&created(&spec)));
    }
}

#[test]
fn all_databases_together_have_so_many_users() {
    assert_eq!(lines(&created(&specs::crowded(specs::MOST_MEMBERS))), [""; 0]);
    assert_eq!(
        lines(&created(&specs::crowded(specs::MOST_MEMBERS + 1))),
        [
            "spec.databases: lists 8549 users over all databases, which take 196627 bytes: at most 196608 fit beside their status in \
             what Kubernetes stores"
        ]
    );
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
    let databases: serde_json::Map<_, _> = (0..100).map(|n| (format!("d{n}"), json!(members))).collect();
    let verdict = created(&json!({"databases": databases}));
    assert_eq!(verdict.errors.len(), 101);
    assert_eq!(verdict.errors[100].to_string(), "spec: has 49900 more mistakes");
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
    assert_eq!(at(Some(&too_long), None)[0].rule, Rule::LongObjectName);
    assert_eq!(at(None, Some("1-"))[0].field, "metadata.generateName");
}

#[test]
fn what_authors_are_warned_of() {
    for (spec, warning) in [
        (json!({"type": "MySQL"}), "spec.type: MySQL is not supported yet: the object is kept, but nothing is created"),
        (
            json!({"version": 13}),
            "spec.version: PostgreSQL 13 is in paid Extended Support (engineLifecycleSupport), dearer from 2028-03-01; newest: 18",
        ),
        (json!({"users": {"a": ["superuser"]}}), "spec.users[a]: as rds_superuser it is the master's equal"),
        (json!({"users": {"a": ["REPLICATION"]}}), "spec.users[a]: RDS grants rds_replication for replication"),
        (json!({"users": {"a": ["createrole"]}}), "spec.users[a]: createrole is the master's equal before 16"),
        (
            json!({"version": "15.19", "users": {"a": ["createrole"]}}),
            "spec.users[a]: createrole is the master's equal before 16",
        ),
        (json!({"users": {"a": ["bypassrls"]}}), "spec.users[a]: RDS may refuse bypassrls to its master user"),
        (json!({"users": {"a": null}}), "spec.users[a]: null means absent: write [] to have it"),
        (
            json!({"backup": {"every": "5d", "retention": "90d"}}),
            "spec.backup.every: keeps up to 18 snapshots for 90d: billed, and counted in the account's quota",
        ),
        (
            json!({"backup": {"every": "2w"}}),
            "spec.backup.every: keeps up to 1 snapshot for 7d: billed, and counted in the account's quota",
        ),
        (
            json!({"backup": {"every": "2w"}}),
            "spec.backup.every: longer than the retention of 7d: the last copy is kept until the next one is there",
        ),
        (
            json!({"backup": {"every": "36h", "retention": "1d"}}),
            "spec.backup.every: longer than the retention of 1d: the last copy is kept until the next one is there",
        ),
        (
            json!({"deletionPolicy": "Delete"}),
            "spec.deletionPolicy: Delete makes no final snapshot: the data goes with the object",
        ),
    ] {
        let verdict = created(&spec);
        assert!(verdict.admitted(), "{spec}: {:?}", lines(&verdict));
        assert!(told(&verdict).iter().any(|said| said == warning), "{spec}: {:#?}", verdict.warnings);
    }
}

#[test]
fn what_needs_no_warning() {
    let base = json!({"version": "18", "size": "20Gi"});
    for addition in [
        json!({"users": {"a": ["createdb", "NOSUPERUSER", "createrole"]}}),
        json!({"version": "16", "users": {"a": ["createrole"]}}),
        json!({"version": "15", "users": {"a": ["nocreaterole"]}}),
        json!({"backup": {"every": "1d", "retention": "5w"}}),
        json!({"backup": {"every": "24h", "retention": "1d"}}),
        json!({"backup": {"every": "30m", "retention": "35d"}}),
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
    let on = |day| told(&create(&subject(&spec), day));
    assert!(on(date(2026, 2, 28)).is_empty());
    assert!(on(date(2026, 3, 1))[0].contains("paid Extended Support (engineLifecycleSupport), dearer from 2028-03-01"));
    assert!(on(date(2029, 2, 28))[0].contains("paid Extended Support"));
    assert!(on(date(2029, 3, 1))[0].contains("ended on 2029-02-28"));
}

#[test]
fn extended_support_that_is_declined_is_told_when_it_counts() {
    let off = "open-source-rds-extended-support-disabled";
    let on = |spec: &Value, day| told(&create(&subject(spec), day));
    let spec = json!({"version": "13", "size": "20Gi", "engineLifecycleSupport": off});
    assert!(on(&spec, date(2026, 2, 28)).is_empty());
    let said =
        "spec.engineLifecycleSupport: RDS creates no PostgreSQL 13 with it: standard support ended on 2026-02-28";
    assert_eq!(on(&spec, date(2026, 3, 1)), [said], "nobody pays for it");
    let enrolled =
        json!({"version": "13", "size": "20Gi", "engineLifecycleSupport": "open-source-rds-extended-support"});
    assert!(on(&enrolled, date(2026, 3, 1))[0].starts_with("spec.version: PostgreSQL 13 is in paid Extended Support"));
    for (origin, said) in [
        (json!({"restoreFrom": {"pointInTime": {}}}), "RDS upgrades a restored PostgreSQL 13 by itself"),
        (json!({"adopt": "legacy"}), "RDS upgrades PostgreSQL 13 by itself, an outage"),
    ] {
        let mut spec = spec.clone();
        spec.as_object_mut().unwrap().extend(origin.as_object().unwrap().clone());
        assert!(on(&spec, TODAY)[0].contains(said), "{spec}");
    }
}

#[test]
fn minor_versions_whose_sessions_lose_their_role_are_told() {
    let warned = |version: &str| {
        let verdict = created(&json!({"version": version, "size": "20Gi"}));
        let warnings = verdict.warnings.into_iter().filter(|warning| warning.rule == Rule::RoleNotKept);
        warnings.map(|warning| warning.to_string()).collect::<Vec<_>>()
    };
    for (at_discard, at_login, kept) in [
        ("12.20", "12.21", "12.22"),
        ("13.16", "13.17", "13.18"),
        ("14.13", "14.14", "14.15"),
        ("15.8", "15.9", "15.10"),
        ("16.4", "16.5", "16.6"),
        ("17.0", "17.1", "17.2"),
    ] {
        let lost = "after DISCARD ALL, which poolers send, what plain users create is not shared";
        assert_eq!(warned(at_discard), [format!("spec.version: {lost}; write {kept} or newer")]);
        let lost = "what plain users create is not shared: their sessions lack the role for it";
        assert_eq!(warned(at_login), [format!("spec.version: {lost}; write {kept} or newer")]);
        assert!(warned(kept).is_empty());
    }
    assert_eq!(warned("12.0").len(), 1);
    assert_eq!(warned("12.20-rds.20250814").len(), 1);
    for version in ["12", "13", "14", "15", "16", "17", "18", "18.0", "17.11", "12.22-rds.20250814"] {
        assert!(warned(version).is_empty(), "{version}");
    }
    assert!(
        created(&json!({"type": "MySQL", "version": "8.0.1"})).warnings.iter().all(|one| one.rule != Rule::RoleNotKept)
    );
}

#[test]
fn names_that_yaml_may_have_made_say_what_was_written() {
    let spec = json!({
        "users": {"16": [], "app": [true], "true": []}, "databases": {"false": ["app", false, 1000], "orders": ["true"]},
    });
    assert_eq!(
        lines(&created(&spec)),
        [
            "spec.users[16]: \"16\" is not a user name: write lower-case letters, digits and _, first a letter and last a letter or digit; \
             YAML reads 0x10 or 020 as 16 too",
            "spec.users[app][0]: must be a text, not the boolean true; if you wrote yes, on or y, quote it: YAML reads it as true",
            "spec.users[true]: \"true\" is reserved: it is a key word of SQL; if you wrote yes, on or y, quote it: YAML reads it as true",
            "spec.databases[false]: \"false\" is reserved: it is a key word of SQL; if you wrote no, off or n, quote it: YAML reads it as false",
            "spec.databases[false][1]: must be a text, not the boolean false; if you wrote no, off or n, quote it: YAML reads it as false",
            "spec.databases[false][2]: must be a text, not the number 1000; YAML reads 0x3e8, 01750 or 1e3 as 1000 too",
        ]
    );
}

#[test]
fn long_names_leave_warnings_whole() {
    let user = "u".repeat(63);
    let verdict = created(&json!({"users": {&user: ["superuser", "replication", "createrole", "bypassrls"]}}));
    assert!(told(&verdict).iter().all(|warning| warning.chars().count() <= 120 && !warning.contains('…')));
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
