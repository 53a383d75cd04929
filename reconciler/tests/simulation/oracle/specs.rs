//! I6: the spec is never written after admission.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Violation;
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};

/// Whenever the operator writes to an object, its spec is what people said last.
pub(super) fn untouched(events: &[Happened]) -> Result<(), Violation> {
    let mut said: BTreeMap<&str, &Value> = BTreeMap::new();
    for Happened { at, what } in events {
        let object = match what {
            Event::Declared { object } => {
                said.insert(object["metadata"]["uid"].as_str().unwrap_or_default(), &object["spec"]);
                continue;
            }
            Event::Cluster(ClusterEvent::Finalizer { object, .. } | ClusterEvent::Status { object, .. }) => object,
            _ => continue,
        };
        let spec = said.get(object["metadata"]["uid"].as_str().unwrap_or_default());
        if let Some(spec) = spec.filter(|spec| ***spec != object["spec"]) {
            let what = format!("the spec of {} became {} and was {spec}", object["metadata"]["name"], object["spec"]);
            return Err(Violation { invariant: "I6", what, when: *at });
        }
    }
    Ok(())
}
