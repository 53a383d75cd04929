//! I3: no data goes before its final snapshot is there, unless the object says so in words.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reconciler::plan::ACCEPT_ANNOTATION;
use reconciler::providers::{Instance, Snapshot};
use serde_json::Value;

use super::Violation;
use super::marked::Marked;
use crate::chance::since_beginning;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};

/// Between the last look at what people want and a call that follows from it.
const MOMENT: Duration = Duration::from_secs(2);

/// Each deletion of the operator's, and each object that it let go.
pub(super) fn kept(events: &[Happened]) -> Result<(), Violation> {
    let mut snapshots: Vec<&Snapshot> = Vec::new();
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    let mut there: BTreeMap<&str, bool> = BTreeMap::new();
    // What RDS has accepted to delete goes.
    let mut going: BTreeSet<&str> = BTreeSet::new();
    let (mut marked, mut wishes) = (Marked::default(), Wishes::default());
    for Happened { at, what } in events {
        let wrong = match what {
            Event::Cloud { record, object } => {
                marked.follow(*at, record);
                let Record { by, sent, event, .. } = &**record;
                match event {
                    CloudEvent::Created { instance } => {
                        there.extend(instance.resource_id.as_deref().map(|id| (id, true)));
                    }
                    CloudEvent::InstanceGone { before } => {
                        there.retain(|id, _| Some(*id) != before.resource_id.as_deref());
                    }
                    // Whose it is may not be known any more.
                    CloudEvent::Marked { resource_id, .. } | CloudEvent::Renamed { resource_id, .. }
                        if *by == By::Person =>
                    {
                        there.insert(resource_id, false);
                    }
                    CloudEvent::SnapshotAvailable { snapshot } => snapshots.push(snapshot),
                    CloudEvent::DeletionAsked { before, final_snapshot } => {
                        asked.extend(final_snapshot.as_deref());
                        going.extend(before.resource_id.as_deref());
                    }
                    _ => {}
                }
                match event {
                    CloudEvent::DeletionAsked { before, final_snapshot } if *by == By::Operator => {
                        let known = before.resource_id.as_deref().is_none_or(|id| marked.known(id, *at));
                        let since = sent.map_or(*at, since_beginning).saturating_sub(MOMENT);
                        let went = |uid: &str| wishes.any(uid, since, |wish| wish.goes);
                        let may_go =
                            |uid: &str| final_snapshot.is_some() || wishes.any(uid, since, |wish| wish.gave_up);
                        deleted(before, known, object.as_deref(), went, may_go)
                    }
                    _ => None,
                }
            }
            Event::Declared { object } => {
                wishes.follow(*at, object);
                None
            }
            Event::Cluster(ClusterEvent::Finalizer { object, held: false }) => {
                let resource = object["status"]["instance"]["resourceId"].as_str();
                let deleted = object["metadata"]["deletionTimestamp"].as_str().and_then(|at| at.parse().ok());
                // An older one does not hold the last row.
                let is_last = |snapshot: &Snapshot| {
                    asked.contains(snapshot.identifier.as_str()) || snapshot.created.max(deleted) == snapshot.created
                };
                let of = |snapshot: &Snapshot, id: &str| snapshot.resource_id.as_deref() == Some(id);
                let saved = |id: &str| snapshots.iter().any(|found| of(found, id) && is_last(found));
                let goes = |id: &str| !there.contains_key(id) || going.contains(id);
                let lost = |id: &&str| goes(id) && !saved(id) && policy(object) == "Snapshot";
                let left = |id: &&str| !goes(id) && there.get(id) == Some(&true) && policy(object) != "Retain";
                let lost = resource.filter(lost).map(|id| format!("the object went, and of {id} there is no snapshot"));
                lost.or_else(|| resource.filter(left).map(|id| format!("the object went, and left its instance {id}")))
            }
            _ => None,
        };
        if let Some(what) = wrong {
            return Err(Violation { invariant: "I3", what, when: *at });
        }
    }
    Ok(())
}

/// What people said of each object, by UIDs, and when.
#[derive(Default)]
struct Wishes(BTreeMap<String, Vec<(Duration, Wish)>>);

/// What should become of an object.
#[derive(Clone, Copy)]
struct Wish {
    /// It is to go.
    goes: bool,
    /// Its data may go with it.
    gave_up: bool,
}

impl Wishes {
    fn follow(&mut self, at: Duration, object: &Value) {
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        let goes = object["metadata"].get("deletionTimestamp").is_some();
        let wish = Wish { goes, gave_up: policy(object) == "Delete" };
        self.0.entry(uid.to_owned()).or_default().push((at, wish));
    }

    /// Whether they said this at any time since then.
    fn any(&self, uid: &str, since: Duration, this: impl Fn(&Wish) -> bool) -> bool {
        let said = self.0.get(uid).map_or(&[][..], Vec::as_slice);
        let until = said.iter().skip(1).map(|(at, _)| *at).chain([Duration::MAX]);
        said.iter().zip(until).any(|((_, wish), until)| this(wish) && since <= until)
    }
}

/// What is wrong with a deletion. `known` says whether the marks of the instance are old enough to be seen, `went` whether the object was on its way
/// out when the call was sent: an older state of Kubernetes may have been put back since.
fn deleted(
    instance: &Instance,
    known: bool,
    object: Option<&Value>,
    went: impl Fn(&str) -> bool,
    may_go: impl Fn(&str) -> bool,
) -> Option<String> {
    let Some(object) = object else { return known.then(|| "an instance was deleted that has no object".into()) };
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    let accepted = object["metadata"]["annotations"][ACCEPT_ANNOTATION].as_str();
    let is_accepted = accepted.is_some() && accepted == instance.resource_id.as_deref();
    if Some(uid) != instance.marks.uid.as_deref() && !is_accepted && known {
        return Some("an instance was deleted that is another object's".into());
    }
    if object["metadata"].get("deletionTimestamp").is_none() && !went(uid) {
        return Some("an instance was deleted whose object is wanted".into());
    }
    (!may_go(uid)).then(|| "an instance was deleted without a snapshot".into())
}

/// What becomes of the data; no class of a life says otherwise.
fn policy(object: &Value) -> &str {
    object["spec"]["deletionPolicy"].as_str().unwrap_or("Snapshot")
}
