//! Every state that the reconciler can report, rendered by its own code, with what GitOps tools must make of it. This is the one table of
//! expectations: the tests of the Argo CD customization in `manifests/argocd` and the verdicts of kstatus are written from it.

mod leaving;
mod refused;
mod wanted;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::api::labels::FINALIZER;
use shared::api::{RDSDatabase, RDSDatabaseStatus};
use shared::rules;

use super::super::{SqlReport, World, plan};
use super::{NAME, NAMESPACE, RESOURCE, UID, orders, settled_world};
use crate::observe::visit_inputs;
use crate::plan::{ACCEPT_ANNOTATION, Concern, RECREATE_ANNOTATION};
use crate::status;

/// What kstatus computes, and what the Lua script says.
type Verdict = (&'static str, &'static str);
const CURRENT: Verdict = ("Current", "Healthy");
const IN_PROGRESS: Verdict = ("InProgress", "Progressing");
/// kstatus has no word for a pause: Flux waits, and is right not to call the object ready.
const PAUSED: Verdict = ("InProgress", "Suspended");
const FAILED: Verdict = ("Failed", "Degraded");
const TERMINATING: Verdict = ("Terminating", "Progressing");

/// An object as the API server serves it.
struct State {
    name: &'static str,
    verdict: Verdict,
    object: Value,
}

fn moment() -> Timestamp {
    "2026-03-02T08:30:00Z".parse().expect("the fixture is a time")
}

fn orders_spec() -> Value {
    json!({"size": "10GB", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]}})
}

/// The object with its status. Its spec is the one that admission stores.
fn served(spec: &Value, world: &World, generation: i64, status: &Value) -> Value {
    let mut metadata = json!({
        "name": NAME, "namespace": NAMESPACE, "uid": UID, "generation": generation, "resourceVersion": "4711",
        "creationTimestamp": "2026-03-02T08:00:00Z",
    });
    if world.object.finalizer {
        metadata["finalizers"] = json!([FINALIZER]);
    }
    if world.object.deleting {
        metadata["deletionTimestamp"] = json!("2026-03-02T08:29:00Z");
        metadata["deletionGracePeriodSeconds"] = json!(0);
    }
    json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": metadata,
        "spec": rules::defaults(spec, None), "status": status,
    })
}

fn read(object: &Value) -> RDSDatabase {
    serde_json::from_value(object.clone()).expect("the fixture is an RDSDatabase")
}

fn json_of(status: &RDSDatabaseStatus) -> Value {
    serde_json::to_value(status).expect("a status is JSON")
}

/// All is as [`orders`] wants it, and the last visit has seen it.
fn lived_in() -> World {
    let mut world = settled_world();
    world.visit_inputs = visit_inputs(&orders(), &world);
    let inputs = world.visit_inputs.clone().expect("nothing is missing for a visit");
    let visit = world.visit.as_mut().expect("the fixture has one");
    visit.inputs = inputs;
    visit.result = Ok(SqlReport {
        users: [("app".to_owned(), None), ("report".to_owned(), None)].into(),
        databases: [("orders".to_owned(), None)].into(),
        access: [("app@orders".to_owned(), None), ("report@orders".to_owned(), None)].into(),
        ..SqlReport::default()
    });
    world
}

/// The status of a database that is as its spec wants it.
fn ready() -> RDSDatabaseStatus {
    let world = lived_in();
    let before = RDSDatabaseStatus::default();
    status::working(&before, Some(1), &orders(), &world, &plan(&orders(), &world, moment()), moment())
}

fn all() -> Vec<State> {
    let mut states = wanted::states();
    states.extend(refused::states());
    states.extend(leaving::states());
    states
}

/// The message that Argo CD shows: the reason tells where to look in the documentation.
fn message(state: &State) -> String {
    let said = |kind: &str| {
        let conditions = state.object["status"]["conditions"].as_array()?;
        conditions.iter().find(|condition| condition["type"] == kind).cloned()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let with_reason = |condition: &Value| format!("{}: {}", text(&condition["reason"]), text(&condition["message"]));
    let deleting = !state.object["metadata"]["deletionTimestamp"].is_null();
    let current = state.object["status"]["observedGeneration"] == state.object["metadata"]["generation"];
    match (deleting, said(Concern::Deletion.condition()), said("Ready")) {
        (true, Some(deleted), _) => with_reason(&deleted),
        (true, None, _) => "The deletion waits for the operator".to_owned(),
        (false, _, Some(ready)) if current && state.verdict == CURRENT => text(&ready["message"]),
        (false, _, Some(ready)) if current => with_reason(&ready),
        _ => "Waiting for the operator to look at this generation".to_owned(),
    }
}

/// What the actions of Argo CD make of these states: an annotation, and nothing else.
const ACTIONS: [(&str, &str, &str); 3] = [
    ("instance-lost", RECREATE_ANNOTATION, RESOURCE),
    ("instance-of-predecessor", ACCEPT_ANNOTATION, RESOURCE),
    ("instance-replaced", ACCEPT_ANNOTATION, "db-RESTORED"),
];

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");
const KIND: &str = "argocd/resource_customizations/matrixmind.cloud/RDSDatabase";
const REMEDY: &str = "run `WRITE_FIXTURES=1 cargo test -p reconciler --lib states::`";

/// The files that are written from the table, with their contents.
fn files() -> Vec<(PathBuf, String)> {
    let yaml = |value: &Value| serde_yaml_ng::to_string(value).expect("JSON is YAML");
    let kind = Path::new(MANIFESTS).join(KIND);
    let states = all();
    let health = states.iter().map(|state| {
        json!({
            "inputPath": format!("testdata/{}.yaml", state.name),
            "healthStatus": {"status": state.verdict.1, "message": message(state)},
        })
    });
    let kstatus: serde_json::Map<_, _> =
        states.iter().map(|state| (format!("{}.yaml", state.name), json!(state.verdict.0))).collect();
    let mut files = vec![
        (kind.join("health_test.yaml"), yaml(&json!({"tests": health.collect::<Vec<_>>()}))),
        (Path::new(MANIFESTS).join("../testbed/gitops/kstatus.yaml"), yaml(&Value::Object(kstatus))),
    ];
    let acted = ACTIONS.map(|(name, annotation, id)| {
        let mut object = states.iter().find(|state| state.name == name).expect("there is such a state").object.clone();
        object["metadata"]["annotations"] = json!({annotation: id});
        (kind.join(format!("actions/testdata/{name}.yaml")), yaml(&object))
    });
    files.extend(acted);
    let testdata = kind.join("testdata");
    files.extend(states.iter().map(|state| (testdata.join(format!("{}.yaml", state.name)), yaml(&state.object))));
    files
}

#[test]
fn the_fixtures_are_what_the_reconciler_reports() {
    let wanted = files();
    let testdata = Path::new(MANIFESTS).join(KIND).join("testdata");
    if std::env::var_os("WRITE_FIXTURES").is_some() {
        for stale in yaml_files(&testdata).difference(&wanted.iter().map(|(path, _)| path.clone()).collect()) {
            fs::remove_file(stale).expect("a stale fixture can be removed");
        }
        for (path, content) in &wanted {
            fs::write(path, content).expect("a fixture can be written");
        }
    }
    for (path, content) in &wanted {
        let found = fs::read_to_string(path).unwrap_or_default();
        assert!(found == *content, "{} is stale: {REMEDY}", path.display());
    }
    let names: BTreeSet<_> = wanted.into_iter().map(|(path, _)| path).collect();
    let left: Vec<_> = yaml_files(&testdata).difference(&names).cloned().collect();
    assert!(left.is_empty(), "no state has these fixtures: {left:?}; {REMEDY}");
}

fn yaml_files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    entries.map(|entry| entry.expect("an entry can be read").path()).collect()
}

#[test]
fn no_two_states_have_one_name() {
    let states = all();
    let names: BTreeSet<_> = states.iter().map(|state| state.name).collect();
    assert_eq!(names.len(), states.len());
}

/// Reasons whose pass writes no status: it changes the finalizer instead.
const NEVER_WRITTEN: [&str; 2] = ["AddingFinalizer", "Releasing"];
/// Words in the sources below that are spelled like a reason and are none; some are reasons of Events.
const NO_REASONS: [&str; 6] =
    ["DatabaseChanged", "DatabaseVisitFailed", "False", "Postgresql", "True", "VisitDatabase"];

/// A reason that somebody adds without a state here would reach GitOps tools untried.
#[test]
fn every_reason_is_in_a_state() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut written = reasons_in(&sources.join("plan"));
    for file in ["target.rs", "apply/visit/mod.rs", "status.rs"] {
        written.extend(words(&fs::read_to_string(sources.join(file)).expect("a source can be read")));
    }
    let mut shown = BTreeSet::new();
    for state in all() {
        for condition in state.object["status"]["conditions"].as_array().into_iter().flatten() {
            shown.extend(["type", "reason"].map(|key| condition[key].as_str().unwrap_or_default().to_owned()));
        }
    }
    let missing: Vec<_> = written
        .difference(&shown)
        .filter(|word| !NEVER_WRITTEN.contains(&word.as_str()) && !NO_REASONS.contains(&word.as_str()))
        .collect();
    assert!(missing.is_empty(), "no state has these reasons: {missing:?}");
}

fn reasons_in(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_file() {
            found.extend(words(&fs::read_to_string(path).expect("a source can be read")));
        }
    }
    found
}

/// The string literals of one capitalized word.
fn words(source: &str) -> BTreeSet<String> {
    // What stands between two literals is never one word.
    let literals = source.split('"');
    let word = |literal: &&str| {
        literal.starts_with(|first: char| first.is_ascii_uppercase())
            && literal.len() > 3
            && literal.chars().all(|letter| letter.is_ascii_alphabetic())
    };
    literals.filter(word).map(str::to_owned).collect()
}
