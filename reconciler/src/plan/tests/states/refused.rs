//! Objects that are not worked on until somebody changes something.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use shared::api::RDSDatabaseStatus;
use shared::rules::DefaultVersions;

use super::super::empty_world;
use super::{FAILED, State, json_of, lived_in, moment, orders_spec, read, ready, served};
use crate::engine::paper::servers;
use crate::plan::world::World;
use crate::status;
use crate::subject::{GuardedClass, resolve};

pub(super) fn states() -> Vec<State> {
    let with = |key: &str, value: Value| {
        let mut spec = orders_spec();
        spec[key] = value;
        spec
    };
    let unborn = RDSDatabaseStatus::default();
    // The schema lets these through, and the webhook was away.
    let nobody = with("databases", json!({"orders": ["nobody"]}));
    vec![
        refused("invalid-spec", &nobody, &unborn, &[]),
        refused("invalid-spec-of-a-live-database", &nobody, &ready(), &[]),
        refused("engine-not-supported", &json!({"type": "MySQL"}), &unborn, &[]),
        refused_by("class-required", &orders_spec(), &unborn, &[], true),
        refused("class-not-found", &with("className", json!("gold")), &unborn, &[]),
        refused(
            "class-not-permitted",
            &with("className", json!("standard")),
            &unborn,
            &[class(&json!({"allowedNamespaces": {"matchLabels": {"databases": "allowed"}}}))],
        ),
        refused("class-unreadable", &with("className", json!("standard")), &unborn, &[class(&json!({"tags": "none"}))]),
        undecodable("undecodable", &empty_world(), &json!({"observedGeneration": -1})),
        undecodable("undecodable-live-database", &lived_in(), &json_of(&ready())),
    ]
}

fn class(spec: &Value) -> Arc<GuardedClass> {
    let object = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": {"name": "standard"}, "spec": spec,
    });
    Arc::new(serde_json::from_value(object).expect("a guard takes any object"))
}

fn refused(name: &'static str, spec: &Value, before: &RDSDatabaseStatus, classes: &[Arc<GuardedClass>]) -> State {
    refused_by(name, spec, before, classes, false)
}

fn refused_by(
    name: &'static str,
    spec: &Value,
    before: &RDSDatabaseStatus,
    classes: &[Arc<GuardedClass>],
    require_class: bool,
) -> State {
    let world = if before.instance.is_some() { lived_in() } else { World { ..empty_world() } };
    let object = served(spec, &world, 1, &json_of(before));
    let refusal =
        resolve(&read(&object), classes, require_class, &BTreeMap::new(), DefaultVersions::BUILT_IN, &servers())
            .expect_err(name);
    let status = status::refused(before, Some(1), &refusal, moment());
    State { name, verdict: FAILED, object: served(spec, &world, 1, &json_of(&status)) }
}

/// Somebody has changed the CRD, or stored the object before it was as strict.
fn undecodable(name: &'static str, world: &World, before: &Value) -> State {
    let mut object = served(&json!({}), world, 1, before);
    object["spec"]["users"] = json!(["app"]);
    object["status"] = status::undecodable(&object, "invalid type", moment()).expect("it does not say so yet");
    assert_eq!(status::undecodable(&object, "invalid type", moment()), None, "i5: it says so");
    State { name, verdict: FAILED, object }
}
