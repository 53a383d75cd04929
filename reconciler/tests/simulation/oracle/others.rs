//! I8: one object that cannot be read, or whose class cannot be, stops no other.

use kube::core::DeserializeGuard;
use serde::Deserialize as _;
use serde_json::Value;
use shared::api::{RDSDatabase, RDSDatabaseClass};

use super::Violation;
use super::rest::{is_behind, is_settled};
use crate::cluster::State;
use crate::world::World;

/// # Errors
/// The first object that nothing is wrong with and that was not seen to, while another one could not be read.
pub(super) fn go_on(world: &World) -> Result<(), Violation> {
    match stopped(&world.kubernetes.state()) {
        None => Ok(()),
        Some(what) => Err(Violation { invariant: "I8", what, when: world.time.elapsed() }),
    }
}

/// An object that was stopped, and by which.
pub(super) fn stopped(state: &State) -> Option<String> {
    let bad_class =
        |class: &Value| DeserializeGuard::<RDSDatabaseClass>::deserialize(class).is_ok_and(|class| class.0.is_err());
    let bad_classes = state.classes.iter().filter(|(_, class)| bad_class(class)).map(|(name, _)| name.as_str());
    let bad_classes: Vec<&str> = bad_classes.collect();
    let is_bad = |object: &Value| {
        let class = object["status"]["instance"]["className"].as_str().or(object["spec"]["className"].as_str());
        RDSDatabase::deserialize(object).is_err() || class.is_some_and(|class| bad_classes.contains(&class))
    };
    let (bad, good): (Vec<_>, Vec<_>) = state.databases.iter().partition(|(_, object)| is_bad(object));
    let culprit =
        bad.first().map(|(key, _)| key.to_string()).or(bad_classes.first().map(|class| (*class).to_owned()))?;
    let stopped = good.iter().find(|(_, object)| is_behind(object) || !is_settled(object));
    stopped.map(|(key, _)| format!("{key} was not seen to, while {culprit} cannot be read"))
}
