//! I10: no instance is made of the data of another namespace.

use std::collections::BTreeMap;

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::{Event, Happened};
use crate::world::CLUSTER;

/// What is known of the data, by what holds them.
#[derive(Default)]
struct Held<'a> {
    /// The cluster and namespace of whom instances were made for, by resource ids.
    instances: BTreeMap<&'a str, (Option<&'a str>, Option<&'a str>)>,
    /// The instances that snapshots were made of, by their names.
    snapshots: BTreeMap<&'a str, &'a str>,
}

/// Each instance that the operator made of a snapshot.
pub(super) fn permitted(events: &[Happened]) -> Result<(), Violation> {
    let mut held = Held::default();
    for Happened { at, what } in events {
        let Event::Cloud { record, .. } = what else { continue };
        if let Some(what) = held.follow(record) {
            return Err(Violation { invariant: "I10", what, when: *at });
        }
    }
    Ok(())
}

impl<'a> Held<'a> {
    fn follow(&mut self, Record { by, event, .. }: &'a Record) -> Option<String> {
        match event {
            CloudEvent::Created { instance } => {
                let marks = (instance.marks.cluster.as_deref(), instance.marks.namespace.as_deref());
                self.instances.insert(instance.resource_id.as_deref().unwrap_or_default(), marks);
            }
            CloudEvent::SnapshotBegun { snapshot } => {
                self.snapshots.insert(&snapshot.identifier, snapshot.resource_id.as_deref().unwrap_or_default());
            }
            CloudEvent::ServerBegan { from_snapshot: Some(name), resource_id, .. } if *by == By::Operator => {
                // For whom it was asked for, the call itself says: the object may be gone when it arrives.
                let made_for = self.instances.get(resource_id.as_str()).copied();
                let of = self.snapshots.get(name.as_str()).and_then(|resource| self.instances.get(resource)).copied();
                if of.is_none() || of != made_for || of.is_some_and(|(cluster, _)| cluster != Some(CLUSTER)) {
                    return Some(format!("{resource_id} was made for {made_for:?} of {name}, which is of {of:?}"));
                }
            }
            _ => {}
        }
        None
    }
}
