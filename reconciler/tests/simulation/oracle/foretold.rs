//! I7: what is done to the cloud stands in the plan of its object before, with its time; a pause holds all of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};

/// Another process may have written another plan meanwhile, and a call takes its time.
const GRACE: Duration = Duration::from_secs(300);
/// Of groups that nothing uses any more no object can tell.
const OF_NO_OBJECT: &str = "DeleteDBParameterGroup";
/// A call that comes late was judged when it was made.
const MADE_BEFORE: &str = ", late";

/// What is told of steps that are not held by anything.
#[derive(Default)]
struct Told<'a> {
    /// By the UID of the object.
    now: BTreeMap<&'a str, Vec<&'a str>>,
    /// Until when it was told.
    before: BTreeMap<&'a str, Duration>,
}

/// Each change of the cloud that the operator asked for, whatever came of it.
pub(super) fn told(events: &[Happened]) -> Result<(), Violation> {
    let mut told = Told::default();
    for Happened { at, what } in events {
        match what {
            Event::Cluster(ClusterEvent::Status { object, status }) => told.follow(*at, object, status),
            // What etcd is put back to tells of the steps that it told of then.
            Event::Declared { object } => told.follow(*at, object, &object["status"]),
            Event::Cloud { record, .. } => {
                let Record { by: By::Operator, event: CloudEvent::Called { action, about, mutates: true, .. }, .. } =
                    &**record
                else {
                    continue;
                };
                if *action != OF_NO_OBJECT && !about.ends_with(MADE_BEFORE) && !told.knows(about, *at) {
                    return Err(Violation { invariant: "I7", what: format!("no plan had it: {about}"), when: *at });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A step that waits for nothing but its window.
fn free(planned: &Value) -> Option<&str> {
    planned["step"].as_str().filter(|_| planned["when"].as_str().is_some_and(|when| !when.contains("once ")))
}

impl<'a> Told<'a> {
    fn follow(&mut self, at: Duration, object: &'a Value, status: &'a Value) {
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        let steps = status["plan"].as_array().into_iter().flatten().filter_map(free).collect();
        let was = self.now.insert(uid, steps).unwrap_or_default();
        self.before.extend(was.into_iter().map(|step| (step, at)));
    }

    fn knows(&self, about: &str, at: Duration) -> bool {
        let names = |step: &str| {
            let beginning = step.strip_suffix('…').unwrap_or(step);
            about.starts_with(beginning) || step.strip_prefix(about).is_some_and(|more| more.starts_with(", and "))
        };
        let lately = |(step, until): (&&str, &Duration)| at <= *until + GRACE && names(step);
        self.now.values().flatten().any(|step| names(step)) || self.before.iter().any(lately)
    }
}
