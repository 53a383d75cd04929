//! I1: an object takes up its own instance and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reconciler::plan::ACCEPT_ANNOTATION;
use reconciler::providers::Marks;
use reconciler::providers::aws::marks;
use serde_json::Value;

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};
use crate::world::CLUSTER;

/// What the cloud shows may be as old as this.
const LAG: Duration = Duration::from_mins(5);

/// The marks of an instance, and since when it has them.
type Marked = (Duration, Marks);

/// No status begins to know an instance that is marked as another object's, unless somebody accepts it; and none is made for an object that
/// nothing holds.
pub(super) fn own(events: &[Happened]) -> Result<(), Violation> {
    let mut there: BTreeMap<&str, Marked> = BTreeMap::new();
    let mut held: BTreeSet<&str> = BTreeSet::new();
    for Happened { at, what } in events {
        let wrong = match what {
            Event::Cloud { record, object } => {
                follow(&mut there, *at, record);
                unheld(record, object.as_deref(), &held)
            }
            Event::Cluster(ClusterEvent::Finalizer { object, held: true }) => {
                held.extend(object["metadata"]["uid"].as_str());
                None
            }
            Event::Cluster(ClusterEvent::Status { object, status }) => taken(object, status)
                .filter(|resource| {
                    let another = |(since, marks): &Marked| *since + LAG < *at && !are_of(marks, object);
                    there.get(resource).is_some_and(another)
                        && object["metadata"]["annotations"][ACCEPT_ANNOTATION] != *resource
                })
                .map(|resource| format!("{} took up {resource}, which is another's", object["metadata"]["name"])),
            _ => None,
        };
        if let Some(what) = wrong {
            return Err(Violation { invariant: "I1", what, when: *at });
        }
    }
    Ok(())
}

/// The instance that a status has not known before.
fn taken<'a>(object: &Value, status: &'a Value) -> Option<&'a str> {
    let known = &object["status"]["instance"]["resourceId"];
    status["instance"]["resourceId"].as_str().filter(|resource| known != resource)
}

fn are_of(marks: &Marks, object: &Value) -> bool {
    let named = |mark: &Option<String>, key: &str| mark.as_deref() == object["metadata"][key].as_str();
    let there = marks.cluster.as_deref() == Some(CLUSTER);
    there && named(&marks.namespace, "namespace") && named(&marks.name, "name") && named(&marks.uid, "uid")
}

fn unheld(Record { by, event, .. }: &Record, object: Option<&Value>, held: &BTreeSet<&str>) -> Option<String> {
    let CloudEvent::Created { instance } = event else { return None };
    let uid = object?["metadata"]["uid"].as_str()?;
    let for_it = *by == By::Operator && instance.marks.uid.as_deref() == Some(uid);
    (for_it && !held.contains(uid))
        .then(|| format!("{} was made for an object that nothing holds", instance.identifier))
}

fn follow<'a>(there: &mut BTreeMap<&'a str, Marked>, at: Duration, Record { event, .. }: &'a Record) {
    match event {
        CloudEvent::Created { instance } => {
            let id = instance.resource_id.as_deref().unwrap_or_default();
            // It has had them from the beginning.
            there.insert(id, (Duration::ZERO, instance.marks.clone()));
        }
        CloudEvent::Marked { resource_id, after, .. } => {
            there.insert(resource_id, (at, marks::read(after)));
        }
        _ => {}
    }
}
