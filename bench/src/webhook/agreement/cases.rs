//! The reviews that both are asked.

use anyhow::Result;
use serde_json::{Map, Value, json};
use shared::catalogue;

use self::specs::{Change, Refused, RefusedChange};
use super::decision::Expected;
use crate::webhook::review::{self, Asked, Request, object};

/// The tables that the rules are held to.
#[path = "../../../../shared/tests/specs/mod.rs"]
mod specs;

/// One review.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// What it is about.
    pub(super) what: String,
    /// What has to come, where it is known.
    pub(super) expected: Option<Expected>,
    path: &'static str,
    operation: &'static str,
    object: Value,
    old_object: Value,
    sub_resource: &'static str,
}

impl Case {
    /// The review as a request.
    pub(super) fn request(&self) -> Result<Request> {
        let Self { path, operation, object, old_object, sub_resource, .. } = self;
        Request::of(path, &Asked { operation, object, old_object, sub_resource })
    }

    fn new(what: &str, path: &'static str, operation: &'static str, object: Value, old_object: Value) -> Self {
        Self { what: format!("{path}: {what}"), expected: None, path, operation, object, old_object, sub_resource: "" }
    }

    fn expects(self, expected: Option<Expected>) -> Self {
        Self { expected, ..self }
    }
}

const PATHS: [&str; 2] = ["/mutate", "/validate"];

/// Everything that both are asked: the tables and the catalogue that the rules are held to, and what those leave out.
///
/// # Errors
/// When an example of the catalogue is no YAML.
pub(super) fn all() -> Result<Vec<Case>> {
    let catalogued = catalogue::examples().map(|example| catalogued(&example)).collect::<Result<Vec<_>>>()?;
    let created = specs::admitted().into_iter().map(|spec| create(&spec, None));
    let refused = specs::refused().into_iter().map(|Refused { spec, field, reason, said, .. }| {
        let expected = Expected { field: field.into(), reason: format!("FieldValue{reason}"), said: said.into() };
        create(&spec, Some(&expected))
    });
    let changed = specs::admitted_changes().into_iter().map(|change| update(&change, None));
    let unchanged = specs::refused_changes().into_iter().map(|RefusedChange { change, field, said, .. }| {
        let expected = Expected { field: field.into(), reason: "FieldValueForbidden".into(), said: said.into() };
        update(&change, Some(&expected))
    });
    let tables = created.chain(refused).chain(changed).chain(unchanged);
    Ok(tables.chain(catalogued).chain(warned()).chain(others()).flatten().collect())
}

/// An example of the catalogue, asked of both endpoints.
fn catalogued(example: &catalogue::Example) -> Result<Vec<Case>> {
    use catalogue::Request::{Create, Delete, Replace, Update};
    let whole = |yaml| {
        let written: Value = serde_yaml_ng::from_str(yaml)?;
        let mut object = object(&Value::Null);
        if let Some(metadata) = written["metadata"].as_object() {
            object["metadata"]["name"] = json!("");
            metadata.iter().for_each(|(key, value)| object["metadata"][key] = value.clone());
        }
        for key in ["spec", "status"] {
            object[key] = written[key].clone();
        }
        anyhow::Ok(object)
    };
    let (operation, new, old) = match example.request {
        Create(object) => ("CREATE", whole(object)?, Value::Null),
        Update(before, after) | Replace(before, after) => ("UPDATE", whole(after)?, whole(before)?),
        Delete(object) => ("DELETE", Value::Null, whole(object)?),
    };
    let what = format!("example of {}", example.rule);
    Ok(PATHS.map(|path| Case::new(&what, path, operation, new.clone(), old.clone())).into())
}

fn create(spec: &Value, expected: Option<&Expected>) -> Vec<Case> {
    let case = |path| Case::new(&excerpt(spec), path, "CREATE", object(spec), Value::Null).expects(expected.cloned());
    PATHS.map(case).into()
}

/// A change, asked of /mutate; and of /validate as /mutate leaves it, and as it is where nobody asked /mutate.
fn update(Change { old, status, new }: &Change, expected: Option<&Expected>) -> Vec<Case> {
    let with_status = |spec: &Value| {
        let mut object = object(spec);
        object["status"] = status.clone();
        object
    };
    let what = format!("{} becomes {}", excerpt(old), excerpt(new));
    let case = |path, spec: &Value| Case::new(&what, path, "UPDATE", with_status(spec), with_status(old));
    let whole = shared::rules::defaults(new, Some(old));
    vec![
        case("/mutate", new).expects(expected.cloned()),
        case("/validate", &whole).expects(expected.cloned()),
        case("/validate", new),
    ]
}

/// Specifications with more than one mistake, or with much to say about them.
fn warned() -> impl Iterator<Item = Vec<Case>> {
    let long = "u".repeat(63);
    let many: Map<_, _> = (0..80)
        .map(|number| {
            (format!("user_with_a_name_of_some_length_{number:02}"), json!(["superuser", "replication", "createrole"]))
        })
        .collect();
    let nobody: Vec<String> = (0..500).map(|number| format!("nobody{number}")).collect();
    let nobodies: Map<_, _> = (0..500).map(|number| (format!("d{number}"), json!(nobody))).collect();
    [
        json!({"users": {long: ["superuser", "replication", "createrole", "bypassrls"]}}),
        json!({"users": many}),
        json!({"databases": nobodies}),
        json!({"type": "MySQL"}),
        json!({"version": 18, "size": "22GB", "users": {"a": ["createrole"]}}),
        json!({"users": {"a": null, "b": []}, "databases": {"d": ["a", "b"], "e": null}}),
        json!({"backup": {"every": "6h"}, "deletionPolicy": "Delete"}),
        json!({
            "size": "ten", "users": {"App": ["x", "y"]}, "databases": {"d": ["nobody", 3]}, "backup": {"retention": "1y"}, "foo": 1,
        }),
        json!({"size": "1_000 gib", "backup": {"every": "6 hours", "retention": "2 weeks"}, "instanceClass": "db"}),
        json!({"users": {"createdb": [" LOGIN"], "übung": []}, "className": ".", "\u{202e}x": {}, "engine": "pg"}),
        json!({"users": {"App": []}, "databases": {"orders": ["App"], "sysadmin": ["sysadmin", "sysadmin"]}}),
        json!({"version": 12.0, "size": 1e20, "paused": -3.5e-9, "masteruser": [1]}),
        json!({"size": "1.00000000000000000000000000000000000000001GB", "type": "Postgre"}),
        json!({"size": "0.0001e9Ti"}),
        json!({"size": "9999999999999999999999999999999999999999GB"}),
    ]
    .into_iter()
    .map(|spec| create(&spec, None))
}

/// What is about more than a specification.
fn others() -> impl Iterator<Item = Vec<Case>> {
    names().chain([
        nulls(),
        changes_of_what_is_wrong(),
        deletions(),
        passed_over(),
        PATHS.iter().flat_map(|path| reviews_that_are_measured(path)).collect(),
    ])
}

fn names() -> impl Iterator<Item = Vec<Case>> {
    let named = |name: &str, generate_name: &str| {
        let mut object = object(&json!({}));
        object["metadata"]["name"] = json!(name);
        object["metadata"]["generateName"] = json!(generate_name);
        object
    };
    [
        named("Orders", ""),
        named("1st", ""),
        named("orders.eu", ""),
        named(&"x".repeat(59), ""),
        named(&"x".repeat(60), ""),
        named("orders-", ""),
        named("", "orders-"),
        named("", "1-"),
        named("", &"x".repeat(55)),
        named("", ""),
    ]
    .into_iter()
    .map(|object| {
        let what = format!("metadata {}", object["metadata"]);
        PATHS.map(|path| Case::new(&excerpt(&json!(what)), path, "CREATE", object.clone(), Value::Null)).into()
    })
}

/// Client-side apply does not send nulls; its record of what was applied has them.
fn nulls() -> Vec<Case> {
    let old = json!({"users": {"app": [], "report": []}, "databases": {"orders": []}});
    let applied = |new: &Value, record: &Value| {
        let mut object = object(new);
        let annotation =
            json!({"apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "spec": record}).to_string();
        object["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": annotation});
        object
    };
    let null = json!({"users": {"app": null, "report": []}, "databases": {"orders": null}});
    let rest = json!({"users": {"report": []}, "databases": {}});
    let steps = [
        ("a record with nulls", applied(&rest, &null), object(&old)),
        ("nulls that are sent", object(&null), object(&old)),
        ("a null for what was never there", applied(&rest, &json!({"users": {"ghost": null}})), object(&old)),
        ("a record that cannot be read", applied(&rest, &json!(7)), object(&old)),
        ("an old record", applied(&rest, &null), applied(&old, &null)),
    ];
    let case =
        |path, (what, new, old): &(&str, Value, Value)| Case::new(what, path, "UPDATE", new.clone(), old.clone());
    PATHS.iter().flat_map(|path| steps.iter().map(move |step| case(path, step))).collect()
}

/// A mistake that was there before warns where it is not touched, and what left the manifest keeps its value.
fn changes_of_what_is_wrong() -> Vec<Case> {
    let wrong = json!({"size": "ten", "users": {"App": []}});
    let full = json!({
        "type": "mysql", "version": "8.0", "size": "100GB", "masteruser": "boss", "users": {"a": []}, "databases": {"d": ["a"]},
        "className": "gold", "instanceClass": "db.r6g.large", "deletionProtection": true,
        "backup": {"every": "6h", "retention": "30d"}, "paused": true, "deletionPolicy": "Delete",
    });
    let change = |old: &Value, new: Value| {
        update(
            &Change {
                old: old.clone(),
                status: json!({"instance": {"created": true}, "allocatedStorageGiB": 100}),
                new,
            },
            None,
        )
    };
    [
        change(&wrong, json!({"size": "ten", "users": {"App": []}, "paused": true})),
        change(&wrong, json!({"size": "eleven", "users": {"App": []}})),
        change(&wrong, json!({"size": "ten", "users": {"App": []}, "paused": 1})),
        change(&full, json!({})),
        change(&full, json!(null)),
        change(&full, json!({"users": {"b": []}, "backup": {"every": null}})),
        change(&json!({"users": {"app": []}, "databases": {"orders": ["app"]}}), json!({"users": {"report": []}})),
        change(&json!({"size": "100Gi"}), json!({"size": "105Gi"})),
        change(&json!({"databases": {"d": []}}), json!({"databases": {}})),
    ]
    .concat()
}

fn deletions() -> Vec<Case> {
    let specs = [json!(null), json!({}), json!({"deletionProtection": true}), json!({"deletionProtection": false})];
    let case = |path, spec: &Value| {
        Case::new(&format!("deletion of {}", excerpt(spec)), path, "DELETE", Value::Null, object(spec))
    };
    PATHS.iter().flat_map(|path| specs.iter().map(move |spec| case(path, spec))).collect()
}

/// What no rule is asked about.
fn passed_over() -> Vec<Case> {
    let wrong = object(&json!({"size": "ten"}));
    let mut leaving = wrong.clone();
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-02T12:00:00Z");
    let cases = |path| {
        let status = Case::new("the status", path, "UPDATE", wrong.clone(), object(&json!({})));
        [
            Case { sub_resource: "status", ..status },
            Case::new("an object that is being deleted", path, "UPDATE", leaving.clone(), object(&json!({}))),
            Case::new("labels", path, "UPDATE", wrong.clone(), wrong.clone()),
        ]
    };
    PATHS.into_iter().flat_map(cases).collect()
}

fn reviews_that_are_measured(path: &'static str) -> Vec<Case> {
    let [small, large] = [review::small_object(), review::large_object()];
    vec![
        Case::new("the small object that is measured", path, "CREATE", small, Value::Null),
        Case::new("the large object that is measured", path, "CREATE", large, Value::Null),
    ]
}

/// The beginning of a specification, for a message.
fn excerpt(spec: &Value) -> String {
    let text = spec.to_string();
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
