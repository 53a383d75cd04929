//! I2: nobody is told that an instance is lost that is there: they might allow an empty one in its place.

use std::collections::BTreeMap;
use std::time::Duration;

use reconciler::plan::Reason;
use serde_json::Value;

use super::Violation;
use crate::cloud::history::{CloudEvent, Record};
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};

/// What the cloud shows may be as old as this.
const LAG: Duration = Duration::from_mins(2);

/// No status begins to tell of a loss while the instance is there under its name.
pub(super) fn real(events: &[Happened]) -> Result<(), Violation> {
    let mut there: BTreeMap<&str, Duration> = BTreeMap::new();
    for Happened { at, what } in events {
        match what {
            Event::Cloud { record, .. } => follow(&mut there, *at, record),
            Event::Cluster(ClusterEvent::Status { object, status }) => {
                let resource = status["instance"]["resourceId"].as_str().unwrap_or_default();
                let is_new = tells_of_loss(status) && !tells_of_loss(&object["status"]);
                if is_new && there.get(resource).is_some_and(|since| *since + LAG < *at) {
                    let what = format!("{} tells that its instance {resource} is lost", object["metadata"]["name"]);
                    return Err(Violation { invariant: "I2", what, when: *at });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn follow<'a>(there: &mut BTreeMap<&'a str, Duration>, at: Duration, Record { event, .. }: &'a Record) {
    match event {
        CloudEvent::Created { instance } => {
            there.insert(instance.resource_id.as_deref().unwrap_or_default(), at);
        }
        CloudEvent::InstanceGone { before } => {
            there.remove(before.resource_id.as_deref().unwrap_or_default());
        }
        // Who asks by its name finds it no more.
        CloudEvent::Renamed { resource_id, .. } => {
            there.remove(resource_id.as_str());
        }
        _ => {}
    }
}

fn tells_of_loss(status: &Value) -> bool {
    let lost = Reason::InstanceLost.to_string();
    status["conditions"].as_array().into_iter().flatten().any(|condition| condition["reason"] == lost.as_str())
}
