//! What is said of an object that cannot be read as what it should be.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::bounds::{LONGEST_MESSAGE, clipped};
use crate::plan::Reason;

/// The status of an object that cannot be read as what it should be, as JSON like the status before it; `None` where it says so already.
pub fn undecodable(before: &Value, generation: Option<i64>, message: &str, now: Timestamp) -> Option<Value> {
    let message = clipped(message, LONGEST_MESSAGE);
    let told = before["conditions"].as_array().is_some_and(|conditions| {
        conditions.iter().any(|one| {
            one["type"] == "Stalled" && one["message"] == message && one["observedGeneration"] == json!(generation)
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
    status["observedGeneration"] = json!(generation);
    Some(status)
}
