//! I1 and I2: one object has one instance, somebody else's is left alone, and a lost one is not replaced unasked.

use std::collections::BTreeMap;
use std::time::Duration;

use reconciler::plan::RECREATE_ANNOTATION;
use reconciler::providers::{Instance, Marks};
use serde_json::Value;

use super::Violation;
use super::marked::Marked;
use crate::chance::since_beginning;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::{Event, Happened};
use crate::world::CLUSTER;

/// What was made in the cloud, by resource ids.
#[derive(Default)]
struct Made {
    /// Those that are there.
    there: BTreeMap<String, Instance>,
    /// Those that went without the operator's having asked for it, with the object's UID, and when.
    lost: BTreeMap<String, (String, Duration)>,
    asked: Vec<String>,
    marked: Marked,
}

/// No two instances of one object, nor an empty one in place of a lost one.
pub(super) fn single(events: &[Happened]) -> Result<(), Violation> {
    let mut made = Made::default();
    for Happened { at, what } in events {
        let Event::Cloud { record, object } = what else { continue };
        let wrong = made.follow(*at, record, object.as_deref());
        if let Some((invariant, what)) = wrong {
            return Err(Violation { invariant, what, when: *at });
        }
    }
    Ok(())
}

impl Made {
    fn follow(&mut self, at: Duration, record: &Record, object: Option<&Value>) -> Option<(&'static str, String)> {
        self.marked.follow(at, record);
        let Record { by, sent, event, .. } = record;
        match event {
            CloudEvent::Created { instance } => {
                let asked = sent.map_or(at, since_beginning);
                let wrong = (*by == By::Operator).then(|| self.rivals(instance, object, asked)).flatten();
                self.there.insert(id(instance), Instance::clone(instance));
                return wrong;
            }
            CloudEvent::Marked { resource_id, .. } | CloudEvent::Modified { resource_id, .. }
                if *by == By::Operator
                    && self.there.get(resource_id).is_some_and(|instance| foreign(&instance.marks)) =>
            {
                return Some(("I1", format!("{resource_id} is somebody else's, and was changed")));
            }
            CloudEvent::DeletionAsked { before, .. } if *by == By::Operator => {
                if foreign(&before.marks) && self.marked.known(&id(before), at) {
                    return Some(("I1", format!("{} is somebody else's, and was deleted", id(before))));
                }
                self.asked.push(id(before));
            }
            CloudEvent::InstanceGone { before } => {
                self.there.remove(&id(before));
                if let Some(uid) = before.marks.uid.clone().filter(|_| !self.asked.contains(&id(before))) {
                    self.lost.insert(id(before), (uid, at));
                }
            }
            _ => {}
        }
        None
    }

    /// What should have kept the operator from making an instance, which it asked for then.
    fn rivals(&self, new: &Instance, object: Option<&Value>, asked: Duration) -> Option<(&'static str, String)> {
        // What a person has marked may be another's by now, and is none of the object's where it was never seen.
        let same = |other: &&Instance| {
            other.marks.uid.is_some() && other.marks.uid == new.marks.uid && !self.marked.by_hand(&id(other))
        };
        if let Some(other) = self.there.values().find(same) {
            return Some(("I1", format!("{} was made beside {}", new.identifier, other.identifier)));
        }
        let allowed = object.and_then(|object| object["metadata"]["annotations"][RECREATE_ANNOTATION].as_str());
        let before =
            |(_, (uid, at)): &(&String, &(String, Duration))| Some(uid) == new.marks.uid.as_ref() && *at <= asked;
        let lost = self.lost.iter().find(before);
        let (lost, _) = lost.filter(|(lost, _)| allowed != Some(lost.as_str()) && pinned(object) == Some(lost))?;
        Some(("I2", format!("{} took the place of the lost {lost}, and nobody asked for it", new.identifier)))
    }
}

/// What the status knows of: one that it never saw is not lost.
fn pinned(object: Option<&Value>) -> Option<&str> {
    object.and_then(|object| object["status"]["instance"]["resourceId"].as_str())
}

fn id(instance: &Instance) -> String {
    instance.resource_id.clone().unwrap_or_default()
}

/// Of another cluster. One without marks may have lost them.
fn foreign(marks: &Marks) -> bool {
    marks.cluster.as_deref().is_some_and(|cluster| cluster != CLUSTER)
}
