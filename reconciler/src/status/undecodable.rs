//! What is said of an object that cannot be read as what it should be.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use shared::rules;

use super::bounds::{LONGEST_MESSAGE, clipped};
use crate::plan::Reason;

/// Characters of what is wrong, so that what to do about it is not cut off.
const LONGEST_REASON: usize = 2_000;

/// The status of an object that cannot be read as what it should be, as JSON like the object itself; `None` where its status says so already.
/// `error` is the decoder's.
pub(crate) fn undecodable(object: &Value, error: &str, now: Timestamp) -> Option<Value> {
    let (before, generation) = (&object["status"], &object["metadata"]["generation"]);
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let message = clipped(&unreadable(name, &object["spec"], error), LONGEST_MESSAGE);
    let told = before["conditions"].as_array().is_some_and(|conditions| {
        conditions.iter().any(|one| {
            one["type"] == "Stalled" && one["message"] == message && one["observedGeneration"] == *generation
        })
    });
    if told {
        return None;
    }
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind, "status": status, "reason": Reason::Undecodable.as_str(), "message": message,
            "observedGeneration": generation, "lastTransitionTime": Time(now),
        })
    };
    // What the status says of the database stays; the manager is the one of every other status, or two would own the conditions.
    let mut status = Some(before).filter(|status| status.is_object()).cloned().unwrap_or_else(|| json!({}));
    let ours = ["Accepted", "Ready", "Reconciling", "Stalled"];
    let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.retain(|one| !ours.iter().any(|kind| one["type"] == *kind));
    conditions.extend(ours.map(|kind| condition(kind, if kind == "Stalled" { "True" } else { "False" })));
    status["conditions"] = json!(conditions);
    status["observedGeneration"] = generation.clone();
    Some(status)
}

/// What is wrong with it: the rules name fields, the decoder only types.
fn unreadable(name: &str, spec: &Value, error: &str) -> String {
    // Any version will do: what is not written is no mistake.
    let spec = rules::defaults(spec, None, rules::DefaultVersions::BUILT_IN);
    let violations = rules::parse(name, &spec).err().unwrap_or_default();
    let mistakes: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let why = if mistakes.is_empty() { error.to_owned() } else { mistakes.join("; ") };
    let why: String = why.chars().take(LONGEST_REASON).collect();
    format!("the object cannot be read ({why}); correct it, and it is worked on again")
}
