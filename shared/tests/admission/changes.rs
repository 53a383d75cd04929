//! What may become of an object that is there already.

use serde_json::{Value, json};
use shared::rules::{DefaultVersions, Observed, Reason, Rule, Subject, Verdict, defaults, parse, replace, update};

use crate::specs::{self, Change, RefusedChange};
use crate::{TODAY, lines, subject, told};

fn updated(old: &Value, new: &Value) -> Verdict {
    update(&subject(new), &subject(old), TODAY)
}

/// What the webhook reads of a status.
fn observed(status: &Value) -> Observed {
    Observed {
        created: status.pointer("/instance/created") == Some(&json!(true)),
        allocated: serde_json::from_value(status["allocatedStorageGiB"].clone()).unwrap_or_default(),
        engine_version: status.get("engineVersion").and_then(Value::as_str).map(str::to_owned),
        master_user: status.pointer("/instance/masterUser").and_then(Value::as_str).map(str::to_owned),
    }
}

/// Both judgements of a change: they differ only where something is missing that nobody filled in.
fn judged(Change { old, status, new }: &Change) -> [Verdict; 2] {
    let observed = observed(status);
    let old = Subject { observed: Some(&observed), ..subject(old) };
    let complete = defaults(new, Some(old.spec), DefaultVersions::BUILT_IN);
    [update(&subject(new), &old, TODAY), replace(&subject(&complete), &old, TODAY)]
}

#[test]
fn what_may_not_change_is_refused_with_its_field() {
    for RefusedChange { change, field, said, .. } in specs::refused_changes() {
        let Change { old, status, new } = &change;
        for verdict in judged(&change) {
            let [violation] = verdict.errors.as_slice() else {
                panic!("{old} to {new} with {status}: {:?}", lines(&verdict))
            };
            assert_eq!((violation.field.as_str(), violation.reason()), (field, Reason::Forbidden), "{old} to {new}");
            assert!(violation.message.contains(said), "{violation}");
        }
    }
}

#[test]
fn what_may_change_is_admitted() {
    for change in specs::admitted_changes() {
        for verdict in judged(&change) {
            let Change { old, status, new } = &change;
            assert!(verdict.admitted(), "{old} to {new} with {status}: {:?}", lines(&verdict));
        }
    }
}

#[test]
fn what_left_the_manifest_keeps_its_value_only_where_somebody_fills_it_in() {
    let old = json!({
        "type": "mysql", "version": "8.0", "size": "100GB", "masteruser": "boss", "users": {"a": []},
        "databases": {"d": ["a"]}, "className": "gold", "instanceClass": "db.r6g.large", "deletionProtection": true,
        "backup": {"every": "6h", "retention": "30d"}, "paused": true, "deletionPolicy": "Delete",
    });
    let left = [
        "spec.type",
        "spec.version",
        "spec.size",
        "spec.masteruser",
        "spec.users",
        "spec.databases",
        "spec.className",
        "spec.instanceClass",
        "spec.deletionProtection",
        "spec.backup.every",
        "spec.backup.retention",
    ];
    for new in [json!({}), json!(null), json!({"users": null, "backup": {"every": null}})] {
        let verdict = updated(&old, &new);
        assert_eq!(lines(&verdict), [""; 0]);
        for field in left {
            let said = format!("{field}: left the manifest and keeps ");
            assert!(told(&verdict).iter().any(|warning| warning.starts_with(&said)), "{field}: {verdict:#?}");
        }
        let verdict = replace(&subject(&new), &subject(&old), TODAY);
        let fields: Vec<&str> = verdict.errors.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, left);
        assert!(verdict.errors[0].message.contains("the defaults were not filled in; apply again"), "{verdict:?}");
        assert!(!verdict.warnings.iter().any(|warning| warning.rule == Rule::ValueKept), "{verdict:#?}");
    }
}

#[test]
fn what_left_the_manifest_without_a_difference_is_not_told() {
    let old =
        defaults(&json!({"users": {}, "deletionProtection": false, "paused": true}), None, DefaultVersions::BUILT_IN);
    let new = json!({"version": "12"});
    let verdict = updated(&old, &new);
    assert!(!verdict.warnings.iter().any(|warning| warning.rule == Rule::ValueKept), "{verdict:#?}");
    assert_eq!(lines(&replace(&subject(&new), &subject(&old), TODAY)), [""; 0]);
    // The version's default is that of the type.
    let old = json!({"type": "MySQL", "version": "8.4"});
    assert_eq!(lines(&replace(&subject(&json!({"type": "MySQL"})), &subject(&old), TODAY)), [""; 0]);
}

#[test]
fn a_refusal_of_what_is_not_in_the_manifest_says_where_it_comes_from() {
    let old = json!({"users": {"app": []}, "databases": {"orders": ["app"]}, "className": "gold"});
    let verdict = updated(&old, &json!({"users": {"report": []}}));
    assert_eq!(
        lines(&verdict),
        [
            "spec.databases[orders][0]: \"app\" is not in spec.users; to add the user, write app: [] there; spec.databases left the manifest and keeps its value"
        ]
    );
}

#[test]
fn mistakes_of_every_kind_are_counted_together() {
    let names: Vec<String> = (0..150).map(|n| format!("u{n}")).collect();
    let (old, nulls): (serde_json::Map<_, _>, serde_json::Map<_, _>) =
        names.iter().map(|name| ((name.clone(), json!([])), (name.clone(), json!(null)))).unzip();
    let old = json!({"users": old});
    let (new, applied) = (json!({"users": {}, "size": "ten"}), json!({"users": nulls}));
    let verdict = update(&Subject { last_applied: Some(&applied), ..subject(&new) }, &subject(&old), TODAY);
    assert_eq!(verdict.errors.len(), 101);
    assert_eq!(verdict.errors[100].to_string(), "spec: has 51 more mistakes");
}

#[test]
fn what_authors_are_warned_of_when_they_change_something() {
    let volume = json!({"instance": {"created": true}, "allocatedStorageGiB": 100});
    let made = json!({"instance": {"created": true}});
    for (old, status, new, warning) in [
        (
            json!({"size": "100Gi"}),
            &volume,
            json!({"size": "105Gi"}),
            "spec.size: RDS grows volumes by at least 10 %: 100Gi become 110Gi instead of 105Gi",
        ),
        (
            json!({"size": "300Gi"}),
            &volume,
            json!({"size": "105Gi"}),
            "spec.size: RDS grows volumes by at least 10 %: 100Gi become 110Gi instead of 105Gi",
        ),
        (
            json!({"size": "100Gi"}),
            &made,
            json!({"size": "105Gi"}),
            "spec.size: RDS grows volumes by at least 10 %: 100Gi become 110Gi instead of 105Gi",
        ),
        (
            json!({"size": "100GB"}),
            &volume,
            json!({}),
            "spec.size: left the manifest and keeps 100GB: to change it, write it",
        ),
        (
            json!({"users": {"a": []}}),
            &volume,
            json!({}),
            "spec.users: left the manifest and keeps its value: to change it, write it",
        ),
        (
            json!({"databases": {"d": []}}),
            &volume,
            json!({"databases": {}}),
            "spec.databases[d]: is kept with its data, without users",
        ),
        (
            json!({"users": {"a": [], "b": []}}),
            &volume,
            json!({"users": {"a": []}}),
            "spec.users[b]: is removed, with its login and its Secret",
        ),
        // Its Secret is there before the instance is.
        (
            json!({"users": {"a": [], "b": []}}),
            &json!({}),
            json!({"users": {}}),
            "spec.users[b]: is removed, with its login and its Secret",
        ),
    ] {
        let [verdict, _] = judged(&Change { old, status: status.clone(), new });
        assert!(told(&verdict).iter().any(|said| said == warning), "{warning}: {:#?}", verdict.warnings);
    }
}

#[test]
fn what_cannot_be_undone_is_an_outage_or_becomes_dearer() {
    let made = json!({"instance": {"created": true}, "allocatedStorageGiB": 100, "engineVersion": "15.16"});
    let base =
        json!({"version": "15.16", "size": "100Gi", "instanceClass": "db.t4g.small", "backup": {"retention": "7d"}});
    for (change, warnings) in [
        (json!({}), &[][..]),
        (
            json!({"version": "15.18"}),
            &[
                "spec.version: irreversible: RDS cannot take back the upgrade from 15.16 to 15.18",
                "spec.version: outage, in the maintenance window: the upgrade to 15.18",
            ],
        ),
        (
            json!({"version": "17", "allowMajorVersionUpgrade": true, "applyImmediately": true}),
            &[
                "spec.version: irreversible: RDS cannot take back the upgrade from 15.16 to 17",
                "spec.version: outage, now: the upgrade to 17",
                "spec.applyImmediately: what waits for the maintenance window is made now, outages too",
            ],
        ),
        // The minor version is left to RDS, or is the one that runs.
        (json!({"version": "15"}), &[]),
        (
            json!({"size": "200Gi"}),
            &[
                "spec.size: irreversible: 100Gi become 200Gi, and RDS cannot shrink a volume",
                "spec.size: cost: 100Gi more are billed, whether they are used or not",
            ],
        ),
        (
            json!({"size": "105Gi"}),
            &[
                "spec.size: RDS grows volumes by at least 10 %: 100Gi become 110Gi instead of 105Gi",
                "spec.size: irreversible: 100Gi become 110Gi, and RDS cannot shrink a volume",
                "spec.size: cost: 10Gi more are billed, whether they are used or not",
            ],
        ),
        (
            json!({"instanceClass": "db.t4g.large"}),
            &[
                "spec.instanceClass: outage, in the maintenance window: it takes minutes",
                "spec.instanceClass: cost: the larger instance is billed at a higher rate",
            ],
        ),
        (
            json!({"instanceClass": "db.t4g.micro"}),
            &["spec.instanceClass: outage, in the maintenance window: it takes minutes"],
        ),
        (
            json!({"instanceClass": "db.r6g.large"}),
            &[
                "spec.instanceClass: outage, in the maintenance window: it takes minutes",
                "spec.instanceClass: cost: another instance class is billed at another rate",
            ],
        ),
        (
            json!({"backup": {"retention": "35d"}}),
            &[
                "spec.backup.retention: cost: backups are kept for 35d, not 7d: beyond the volume's size they are billed",
            ],
        ),
        (
            json!({"backup": {"retention": "1d"}}),
            &["spec.backup.retention: irreversible: RDS discards the automated backups that are older than 1d"],
        ),
    ] {
        let mut new = base.clone();
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let [asked, last] = judged(&Change { old: base.clone(), status: made.clone(), new: new.clone() });
        assert_eq!(told(&asked), warnings, "{change}");
        assert_eq!(told(&last), warnings, "{change}");
        // What is not there yet is made as it is wanted.
        assert_eq!(updated(&base, &new), Verdict::default(), "{change}");
    }
}

#[test]
fn an_upgrade_is_one_from_what_runs() {
    let upgrades = |old: &str, running: Option<&str>, new: &str| {
        let status = json!({"instance": {"created": true}, "engineVersion": running});
        let [verdict, _] = judged(&Change { old: json!({"version": old}), status, new: json!({"version": new}) });
        assert!(verdict.admitted(), "{old} to {new}: {:?}", lines(&verdict));
        verdict.warnings.iter().any(|warning| warning.rule == Rule::UpgradeOutage)
    };
    assert!(upgrades("15", Some("15.6"), "15.8"));
    assert!(!upgrades("15", Some("15.8"), "15.8"));
    assert!(!upgrades("15.6", Some("15.8"), "15.8"));
    assert!(!upgrades("15.6", Some("15.6-rds.20250814"), "15"));
    assert!(upgrades("15.6", Some("15.6"), "15.6-rds.20250814"));
    // An upgrade in the console is followed, and followed further.
    assert!(!upgrades("15", Some("16.4"), "16.4"));
    assert!(upgrades("15", Some("16.4"), "16.6"));
    // The status does not say yet what runs.
    assert!(upgrades("15.6", None, "15.8"));
    assert!(!upgrades("15", None, "15.8"));
}

#[test]
fn a_class_that_was_not_written_may_be_the_same() {
    let status = json!({"instance": {"created": true}});
    let [verdict, _] = judged(&Change { old: json!({}), status, new: json!({"instanceClass": "db.t4g.micro"}) });
    let about: Vec<String> = told(&verdict).into_iter().filter(|line| line.starts_with("spec.instanceClass")).collect();
    assert_eq!(
        about,
        [
            "spec.instanceClass: outage, in the maintenance window: unless it has this class already",
            "spec.instanceClass: cost: another instance class is billed at another rate",
        ]
    );
}

#[test]
fn an_old_mistake_that_is_not_touched_only_warns() {
    let old = json!({"size": "ten", "users": {"App": []}});
    let verdict = updated(&old, &json!({"size": "ten", "users": {"App": []}, "paused": true}));
    assert!(verdict.admitted(), "{:?}", lines(&verdict));
    assert!(told(&verdict).iter().any(|warning| warning.starts_with("spec.size: still wrong: \"ten\" is not a size")));
    // Touched and still wrong is refused; so is a mistake that is new.
    assert_eq!(updated(&old, &json!({"size": "eleven", "users": {"App": []}})).errors[0].field, "spec.size");
    assert_eq!(
        updated(&old, &json!({"size": "ten", "users": {"App": []}, "paused": 1})).errors[0].field,
        "spec.paused"
    );
}

#[test]
fn i7_what_was_stored_and_is_too_large_by_now_can_be_edited_and_become_less() {
    let crowded = |members| specs::crowded(specs::MOST_MEMBERS + members);
    let mut paused = crowded(100);
    paused["paused"] = json!(true);
    for smaller in [paused, crowded(99), crowded(1)] {
        let verdict = updated(&crowded(100), &smaller);
        assert!(verdict.admitted(), "{:?}", lines(&verdict));
        let said = "spec.databases: still wrong: too large to be stored with its whole status";
        assert!(told(&verdict).iter().any(|warning| warning == said), "{:#?}", verdict.warnings);
    }
    assert!(!told(&updated(&crowded(100), &crowded(0))).iter().any(|warning| warning.starts_with("spec.databases")));
    assert_eq!(updated(&crowded(100), &crowded(101)).errors[0].rule, Rule::TooManyEntries);
    assert_eq!(updated(&crowded(0), &crowded(1)).errors[0].rule, Rule::TooManyEntries);
    // Nobody judges the size of what the reconciler finds.
    assert!(parse("orders", &defaults(&crowded(100), None, DefaultVersions::BUILT_IN)).is_ok());
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
