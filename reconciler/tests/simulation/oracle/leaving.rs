//! I11: an object that is deleted goes when its instance has gone, and not before.

use std::collections::BTreeMap;

use reconciler::providers::Instance;

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};

/// Nobody is let go whose instance is there, unless it is to stay, or somebody has taken its marks.
pub(super) fn seen_off(events: &[Happened]) -> Result<(), Violation> {
    let mut there: BTreeMap<&str, &Instance> = BTreeMap::new();
    for Happened { at, what } in events {
        match what {
            Event::Cloud { record, .. } => follow(&mut there, record),
            Event::Cluster(ClusterEvent::Finalizer { object, held: false }) => {
                let resource = object["status"]["instance"]["resourceId"].as_str().unwrap_or_default();
                let theirs =
                    |instance: &&&Instance| instance.marks.uid.as_deref() == object["metadata"]["uid"].as_str();
                let left = there.get(resource).filter(theirs);
                if let Some(left) = left.filter(|_| object["spec"]["deletionPolicy"] != "Retain") {
                    let what =
                        format!("{} was let go before its instance {}", object["metadata"]["name"], left.identifier);
                    return Err(Violation { invariant: "I11", what, when: *at });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn follow<'a>(there: &mut BTreeMap<&'a str, &'a Instance>, Record { by, event, .. }: &'a Record) {
    match event {
        CloudEvent::Created { instance } => {
            if let Some(resource) = &instance.resource_id {
                there.insert(resource, instance);
            }
        }
        CloudEvent::Marked { resource_id, .. } if *by == By::Person => drop(there.remove(resource_id.as_str())),
        // One that is to leave nothing goes, whatever is seen of it by then.
        CloudEvent::InstanceGone { before } | CloudEvent::DeletionAsked { before, final_snapshot: None, .. } => {
            there.remove(before.resource_id.as_deref().unwrap_or_default());
        }
        _ => {}
    }
}
