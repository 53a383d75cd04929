//! At rest: every object is as it should be, or says what somebody has to do (I7), and nothing is written (I5).

use std::sync::Arc;

use reconciler::plan::{Acts, Reason};
use reconciler::turns::Key;
use serde_json::Value;

use super::Violation;
use crate::world::World;

/// The first object that still waits for something that nobody has to do (I7).
pub(crate) fn waits(world: &World) -> Option<Violation> {
    let state = world.kubernetes.state();
    let waits = |(key, object): (&Key, &Arc<Value>)| {
        (!is_settled(object)).then(|| Violation {
            invariant: "I7",
            what: format!("{key} comes to no rest: {}", conditions(object)),
            when: world.time.elapsed(),
        })
    };
    state.databases.iter().find_map(waits)
}

/// Whether every object is Ready.
pub(crate) fn all_ready(world: &World) -> bool {
    world.kubernetes.state().databases.values().all(|object| is_ready(object))
}

/// Whether the status of an object that is Ready tells of another state of its instance than the cloud shows.
pub(crate) fn unseen(world: &World) -> bool {
    let state = world.kubernetes.state();
    let mut ready = state.databases.values().filter(|object| is_ready(object));
    ready.any(|object| {
        let shown = object["status"]["instance"]["resourceId"].as_str().and_then(|resource| world.instance(resource));
        shown.is_some_and(|instance| object["status"]["databaseStatus"] != instance.status.to_string())
    })
}

/// All is as it should be, and still something is written (I5).
pub(crate) fn restless(world: &World) -> Violation {
    let lines = world.history.lines();
    let last = lines.iter().rev().take(8).rev().map(String::as_str).collect::<Vec<_>>();
    Violation { invariant: "I5", what: format!("it is never at rest: {}", last.join("; ")), when: world.time.elapsed() }
}

/// Of every object the status tells of what is wanted now.
///
/// # Errors
/// The first of which it does not.
pub(super) fn told(world: &World) -> Result<(), Violation> {
    let state = world.kubernetes.state();
    match state.databases.iter().find(|(_, object)| is_behind(object)) {
        None => Ok(()),
        Some((key, object)) => Err(Violation {
            invariant: "I7",
            what: format!("the status of {key} tells of another generation: {}", conditions(object)),
            when: world.time.elapsed(),
        }),
    }
}

/// Of an object that is in all as it is wanted nothing is to come.
///
/// # Errors
/// The first that tells of a step.
pub(super) fn planless(world: &World) -> Result<(), Violation> {
    let state = world.kubernetes.state();
    let content = |object: &Value| {
        let mut concerns = listed(object).filter(|condition| condition["reason"] != "Ready");
        is_ready(object) && concerns.all(|condition| condition["status"] == "True")
    };
    match state.databases.iter().find(|(_, object)| content(object) && !object["status"]["plan"].is_null()) {
        None => Ok(()),
        Some((key, object)) => Err(Violation {
            invariant: "I5",
            what: format!("all of {key} is as it should be, and this is to come: {}", object["status"]["plan"]),
            when: world.time.elapsed(),
        }),
    }
}

pub(crate) fn is_ready(object: &Value) -> bool {
    let leaving = object["metadata"].get("deletionTimestamp").is_some();
    !leaving && listed(object).any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Whether its status tells of another generation than the one that is wanted.
pub(super) fn is_behind(object: &Value) -> bool {
    object["status"]["observedGeneration"] != object["metadata"]["generation"]
}

/// Whether it waits for nothing that comes by itself.
pub(super) fn is_settled(object: &Value) -> bool {
    is_ready(object) || somebody_acts(object)
}

/// Whether a condition says what a person has to do.
fn somebody_acts(object: &Value) -> bool {
    listed(object).any(|condition| {
        let reason = condition["reason"].as_str().and_then(|reason| reason.parse::<Reason>().ok());
        condition["type"] == "Ready" && reason.is_some_and(|reason| reason.acts() != Acts::Nobody)
    })
}

fn listed(object: &Value) -> impl Iterator<Item = &Value> {
    object["status"]["conditions"].as_array().into_iter().flatten()
}

fn conditions(object: &Value) -> String {
    let shown = |condition: &Value| {
        let word = |key: &str| condition[key].as_str().unwrap_or_default().to_owned();
        format!("{}={} {}: {}", word("type"), word("status"), word("reason"), word("message"))
    };
    let wrong = listed(object).filter(|condition| condition["status"] == "False");
    wrong.map(shown).collect::<Vec<_>>().join("; ")
}
