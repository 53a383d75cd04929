//! I3: no copy that is kept goes before a newer one is there, and no other snapshot goes at all.

use std::collections::BTreeMap;

use reconciler::providers::{Snapshot, SnapshotKind};

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::{Event, Happened};
use crate::world::CLUSTER;

/// What the names of copies hold.
const KEPT: &str = "-kept-";

/// Each snapshot that the operator deleted.
pub(super) fn followed(events: &[Happened]) -> Result<(), Violation> {
    let mut complete: BTreeMap<&str, &Snapshot> = BTreeMap::new();
    for Happened { at, what } in events {
        let Event::Cloud { record, .. } = what else { continue };
        let Record { by, event, .. } = &**record;
        match event {
            CloudEvent::SnapshotAvailable { snapshot } => {
                complete.insert(&snapshot.identifier, snapshot);
            }
            CloudEvent::SnapshotGone { before } => {
                complete.remove(before.identifier.as_str());
                // Automated ones go with their instance, and so does what is not complete when the object gives its data up.
                let made = before.available() || before.failed();
                let deleted = *by == By::Operator && before.kind == SnapshotKind::Manual && made;
                let what = deleted.then(|| wrong(before, &complete)).flatten();
                if let Some(what) = what {
                    return Err(Violation { invariant: "I3", what, when: *at });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn wrong(gone: &Snapshot, complete: &BTreeMap<&str, &Snapshot>) -> Option<String> {
    let Snapshot { identifier, marks, .. } = gone;
    if !identifier.contains(KEPT) || !marks.kept || marks.cluster.as_deref() != Some(CLUSTER) {
        return Some(format!("the snapshot {identifier} was deleted, which is none of the operator's copies"));
    }
    let newer = |other: &&Snapshot| {
        other.identifier.contains(KEPT) && other.resource_id == gone.resource_id && other.created > gone.created
    };
    (!complete.values().any(|other| newer(&other)))
        .then(|| format!("the copy {identifier} was deleted, and no newer one is there"))
}
