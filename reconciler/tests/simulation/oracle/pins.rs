//! I2: a status that has known its instance goes on knowing it, or a lost one could be replaced by an empty one.

use reconciler::plan::RECREATE_ANNOTATION;
use serde_json::Value;

use super::Violation;
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};

/// No status forgets an instance, unless somebody allows another one in its place.
pub(super) fn kept(events: &[Happened]) -> Result<(), Violation> {
    for Happened { at, what } in events {
        let Event::Cluster(ClusterEvent::Status { object, status }) = what else { continue };
        let Some(known) = pinned(&object["status"]).filter(|_| pinned(status).is_none()) else { continue };
        if object["metadata"]["annotations"][RECREATE_ANNOTATION].as_str() != Some(known) {
            let what = format!("the status of {} forgot its instance {known}", object["metadata"]["name"]);
            return Err(Violation { invariant: "I2", what, when: *at });
        }
    }
    Ok(())
}

fn pinned(status: &Value) -> Option<&str> {
    status["instance"]["resourceId"].as_str()
}
