use std::sync::Arc;

use serde_json::{Value, json};
use shared::api::RDSDatabase;

use super::*;
use crate::engine::paper::servers;
use crate::plan::Reason;
use crate::subject::class::GuardedClass;
use crate::subject::resolve::{Target, resolve};

fn class(spec: &Value) -> Arc<GuardedClass> {
    let object = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": {"name": "standard"}, "spec": spec,
    });
    Arc::new(serde_json::from_value(object).unwrap())
}

fn object(spec: &Value, status: &Value) -> RDSDatabase {
    let mut spec = spec.clone();
    spec["className"] = json!("standard");
    let object = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": "orders", "namespace": "shop"},
        "spec": spec, "status": status,
    });
    serde_json::from_value(object).unwrap()
}

fn born(class_spec: &Value, spec: &Value) -> Result<Target, Refusal> {
    resolve(
        &object(spec, &json!(null)),
        &[class(class_spec)],
        false,
        &BTreeMap::new(),
        shared::rules::DefaultVersions::BUILT_IN,
        &servers(),
    )
}

fn running(class_spec: &Value, spec: &Value) -> Result<Target, Refusal> {
    let status = json!({"instance": {"identifier": "orders", "className": "standard", "created": true}});
    resolve(
        &object(spec, &status),
        &[class(class_spec)],
        false,
        &BTreeMap::new(),
        shared::rules::DefaultVersions::BUILT_IN,
        &servers(),
    )
}

#[test]
fn i10_a_birth_outside_a_limit_is_refused_with_the_field_the_value_and_what_is_allowed() {
    for (class, spec, said) in [
        (
            json!({"allowedInstanceClasses": ["db.t4g.*", "db.m8g.large"]}),
            json!({"instanceClass": "db.r6g.16xlarge"}),
            "spec.instanceClass: db.r6g.16xlarge is not among db.t4g.*, db.m8g.large",
        ),
        (
            json!({"allowedInstanceClasses": ["db.m8g.*"]}),
            json!({}),
            "its own instanceClass db.t4g.micro is not among its allowedInstanceClasses db.m8g.*: correct the class, or set \
             spec.instanceClass",
        ),
        (
            json!({"allowedInstanceClasses": ["db.m8g.*"], "instanceClass": "db.r6g.large"}),
            json!({}),
            "its own instanceClass db.r6g.large is not among",
        ),
        (json!({"allowedVersions": ["16", "17"]}), json!({}), "spec.version: 12 is not among 16, 17"),
        (json!({"allowedVersions": ["16.4"]}), json!({"version": "16"}), "spec.version: 16 is not among 16.4"),
        (json!({"allowedVersions": ["16.4"]}), json!({"version": "16.8"}), "spec.version: 16.8 is not among 16.4"),
        (json!({"allowedVersions": ["x"]}), json!({}), "\"x\" in its allowedVersions is not a version of PostgreSQL"),
        (
            json!({"maxRetention": "14d"}),
            json!({"backup": {"retention": "15d"}}),
            "spec.backup.retention: 15d is more than its maxRetention of 14d",
        ),
        (json!({"maxRetention": "2x"}), json!({}), "its maxRetention \"2x\" is not a duration"),
        (json!({"maxSize": "50GB"}), json!({"size": "100GB"}), "spec.size: 94Gi is more than its maxSize of 50GB"),
        (
            json!({"allowExtendedSupport": false}),
            json!({"engineLifecycleSupport": "open-source-rds-extended-support"}),
            "spec.engineLifecycleSupport: Extended Support is not allowed (allowExtendedSupport)",
        ),
        (json!({"maxSize": "0GB"}), json!({}), "its maxSize \"0GB\" is not a size"),
        (
            json!({"allowCreaterole": false}),
            json!({"users": {"app": ["createrole"]}}),
            "spec.users[app]: the flag createrole is not allowed",
        ),
        (
            json!({"allowedDeletionPolicies": ["Snapshot", "Retain"]}),
            json!({"deletionPolicy": "Delete"}),
            "spec.deletionPolicy: Delete is not among Snapshot, Retain",
        ),
        (
            json!({"allowedDeletionPolicies": ["Snapshot"], "defaultDeletionPolicy": "Retain"}),
            json!({}),
            "spec.deletionPolicy: Retain is not among Snapshot",
        ),
        (
            json!({"allowedNamespaces": {"matchLabels": {"tier": "gold"}}}),
            json!({}),
            "the namespace's labels do not match its allowedNamespaces (tier=gold)",
        ),
        (
            json!({"allowedNamespaces": {"matchExpressions": [{"key": "a", "operator": "In"}]}}),
            json!({}),
            "its allowedNamespaces is not a valid selector",
        ),
    ] {
        let refusal = born(&class, &spec).expect_err(&class.to_string());
        assert_eq!(refusal.reason(), Reason::ClassNotPermitted);
        let message = refusal.to_string();
        assert!(message.starts_with("the class standard does not permit this object: "), "{message}");
        assert!(message.contains(said), "{said}: {message}");
    }
}

#[test]
fn what_is_allowed_is_born() {
    for (class, spec) in [
        (json!({}), json!({"instanceClass": "db.r6g.16xlarge", "size": "1Ti", "backup": {"retention": "35d"}})),
        (json!({"allowedInstanceClasses": null, "allowedVersions": null, "maxRetention": null}), json!({})),
        (json!({"allowedInstanceClasses": ["db.*"]}), json!({"instanceClass": "db.r6g.16xlarge"})),
        (json!({"allowedInstanceClasses": ["db.t4g.*"]}), json!({})),
        (json!({"allowedInstanceClasses": ["db.t4g.micro"]}), json!({"instanceClass": "db.t4g.micro"})),
        (json!({"allowedInstanceClasses": ["db.m8g.*"]}), json!({"instanceClass": "db.m8g.large"})),
        (json!({"allowedVersions": ["16", "17"]}), json!({"version": "16.4"})),
        (json!({"allowedVersions": ["16.4"]}), json!({"version": "16.4"})),
        (json!({"maxRetention": "7d"}), json!({})),
        (json!({"maxRetention": "2w"}), json!({"backup": {"retention": "14d"}})),
        (json!({"maxSize": "100GB"}), json!({"size": "100GB"})),
        (json!({"allowCreaterole": false}), json!({"users": {"app": ["createdb"]}})),
        (
            json!({"allowExtendedSupport": false}),
            json!({"engineLifecycleSupport": "open-source-rds-extended-support-disabled"}),
        ),
    ] {
        born(&class, &spec).unwrap_or_else(|refusal| unreachable!("{class} {spec}: {refusal}"));
    }
}

#[test]
fn what_nobody_may_ask_for_comes_by_no_silence() {
    let (on, off) = ("open-source-rds-extended-support", "open-source-rds-extended-support-disabled");
    for (class, support) in [
        (json!({}), None),
        (json!({"engineLifecycleSupport": off}), Some(false)),
        (json!({"engineLifecycleSupport": on}), Some(true)),
        (json!({"allowExtendedSupport": true}), None),
        (json!({"allowExtendedSupport": false}), Some(false)),
        // The platform's own word goes first.
        (json!({"allowExtendedSupport": false, "engineLifecycleSupport": on}), Some(true)),
    ] {
        assert_eq!(born(&class, &json!({})).unwrap().class.extended_support, support, "{class}");
    }
}

/// A family ends at its dot.
#[test]
fn a_family_is_no_other_family_that_begins_alike() {
    assert!(fits("db.t4g.*", "db.t4g.micro"));
    assert!(!fits("db.t4g.*", "db.t4gd.micro"));
    assert!(!fits("db.t4g.micro", "db.t4g.micro2"));
}

#[test]
fn what_runs_is_worked_on_outside_a_fence_that_was_narrowed() {
    let narrow = json!({
        "allowedInstanceClasses": ["db.m8g.*"], "allowedVersions": ["17"], "maxRetention": "7d", "maxSize": "20Gi",
        "allowedNamespaces": {"matchLabels": {"tier": "gold"}}, "allowedDeletionPolicies": ["Snapshot"], "allowCreaterole": false,
    });
    let wish = json!({
        "instanceClass": "db.r6g.large", "version": "16", "backup": {"retention": "30d"}, "size": "100Gi",
        "deletionPolicy": "Delete", "users": {"app": ["createrole"]},
    });
    assert!(born(&narrow, &wish).is_err());
    let target = running(&narrow, &wish).expect("it runs");
    assert!(target.birth().is_err(), "an empty instance in place of a lost one is a birth");
}

#[test]
fn without_a_class_nothing_is_born_where_one_is_asked_for() {
    let unclassed = |status: &Value| {
        let mut object = object(&json!({}), status);
        object.spec.0.as_mut().unwrap().class_name = None;
        object
    };
    let resolved = |status: &Value, classes: &[Arc<GuardedClass>]| {
        resolve(
            &unclassed(status),
            classes,
            true,
            &BTreeMap::new(),
            shared::rules::DefaultVersions::BUILT_IN,
            &servers(),
        )
        .map(|target| target.class.name)
    };
    let refusal = resolved(&json!(null), &[class(&json!({}))]).unwrap_err();
    assert_eq!(refusal.reason(), Reason::ClassRequired);
    assert!(refusal.to_string().contains("name an RDSDatabaseClass"), "{refusal}");

    let default = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "spec": {},
        "metadata": {"name": "usual", "annotations": {"rdsdatabaseclass.matrixmind.cloud/is-default-class": "true"}},
    });
    let default = Arc::new(serde_json::from_value(default).unwrap());
    assert_eq!(resolved(&json!(null), &[default]), Ok(Some("usual".to_owned())));
    let built_in = json!({"instance": {"identifier": "orders", "created": true}});
    assert_eq!(resolved(&built_in, &[]), Ok(None), "what was born in the built-in class goes on");
}
