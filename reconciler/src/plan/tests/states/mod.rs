//! Every state that the reconciler can report, rendered by its own code, with what GitOps tools must make of it. This is the one table of
//! expectations: the tests of the Argo CD customization in `manifests/argocd` and the verdicts of kstatus are written from it.

mod changing;
mod inside;
mod leaving;
mod refused;
mod wanted;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use shared::api::labels::FINALIZER;
use shared::api::{DeletionPolicy, RDSDatabase, RDSDatabaseStatus};
use shared::rules;

use super::{NAME, NAMESPACE, RESOURCE, UID, departure, empty_world, leave, now, orders, plan, settled_world};
use crate::class_status;
use crate::observe::visit_inputs;
use crate::plan::ground::{ACCEPT_ANNOTATION, RECREATE_ANNOTATION};
use crate::plan::outcome::{Concern, Outcome};
use crate::plan::reason::{Place, Reason};
use crate::plan::world::{ObjectFacts, SqlReport, World};
use crate::status;
use crate::subject::Subject;

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
        "spec": rules::defaults(spec, None, rules::DefaultVersions::BUILT_IN), "status": status,
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
    let inputs = visit_inputs(&orders(), &world).expect("nothing is missing for a visit");
    let visit = world.visit.as_mut().expect("the fixture has one");
    visit.inputs.clone_from(&inputs.digest);
    visit.result = Ok(SqlReport {
        users: [("app".to_owned(), None), ("report".to_owned(), None)].into(),
        databases: [("orders".to_owned(), None)].into(),
        logins: [("app@orders".to_owned(), None), ("report@orders".to_owned(), None)].into(),
        ..SqlReport::default()
    });
    world.visit_inputs = Some(Arc::new(inputs));
    world
}

/// The status of a database that is as its spec wants it.
fn ready() -> RDSDatabaseStatus {
    let world = lived_in();
    let (before, subject) = (RDSDatabaseStatus::default(), Subject::Living(orders()));
    status::of(&before, Some(1), &subject, &world, &plan(&orders(), &world, now()), moment())
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
const ACTIONS: [(&str, &str, &str); 4] = [
    ("instance-lost", RECREATE_ANNOTATION, RESOURCE),
    ("instance-of-predecessor", ACCEPT_ANNOTATION, RESOURCE),
    ("instance-replaced", ACCEPT_ANNOTATION, "db-RESTORED"),
    ("instance-switched-over", ACCEPT_ANNOTATION, "db-GREEN"),
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

/// The reason of each condition and, where the pass writes no status, of each outcome.
fn reported() -> BTreeSet<Reason> {
    let read = |reason: &str| reason.parse::<Reason>().unwrap_or_else(|unknown| panic!("{reason}: {unknown}"));
    let states = all();
    let conditions =
        states.iter().flat_map(|state| state.object["status"]["conditions"].as_array().into_iter().flatten());
    let mut reported: BTreeSet<Reason> =
        conditions.map(|condition| read(condition["reason"].as_str().unwrap_or_default())).collect();
    let short = status::shortened(&ready(), &ready(), moment());
    reported.extend(short.conditions.iter().map(|condition| read(&condition.reason)));
    reported.insert(read(&class_status::ambiguity(&["new", "usual"], None, Time(moment())).reason));
    let without_finalizer = World { object: ObjectFacts { finalizer: false, ..empty_world().object }, ..empty_world() };
    let leaving = departure(DeletionPolicy::Snapshot);
    let plans = [plan(&orders(), &without_finalizer, now()), leave(&leaving, &empty_world())];
    for (_, outcome) in plans.iter().flat_map(|plan| &plan.outcomes) {
        if let Outcome::Act { reason, .. } = outcome {
            reported.insert(*reason);
        }
    }
    reported
}

/// A reason that somebody adds without a state here would reach people and GitOps tools untried; one that nothing reports would be a promise.
#[test]
fn every_reason_of_a_condition_is_reported() {
    let reported = reported();
    let missing: Vec<_> =
        Reason::ALL.iter().filter(|reason| reason.place() == Place::Condition && !reported.contains(reason)).collect();
    assert!(missing.is_empty(), "nothing reports {missing:?}");
    let misplaced: Vec<_> = reported.iter().filter(|reason| reason.place() != Place::Condition).collect();
    assert!(misplaced.is_empty(), "{misplaced:?} are said to be reasons of Events alone");
}
