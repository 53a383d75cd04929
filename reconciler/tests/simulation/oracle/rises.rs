//! I3: no instance goes to another major version before a snapshot of what it was is there.

use std::collections::BTreeSet;

use reconciler::providers::Settings;

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::{Event, Happened};

/// Each upgrade that the operator asked for.
pub(super) fn saved(events: &[Happened]) -> Result<(), Violation> {
    let mut saved: BTreeSet<&str> = BTreeSet::new();
    for Happened { at, what } in events {
        let Event::Cloud { record, .. } = what else { continue };
        let Record { by, event, .. } = &**record;
        match event {
            CloudEvent::SnapshotAvailable { snapshot } if snapshot.identifier.contains("-before-") => {
                saved.extend(snapshot.resource_id.as_deref());
            }
            CloudEvent::Modified { resource_id, before, after }
                if *by == By::Operator
                    && major(&after.pending) > major(&after.running)
                    && before.pending.engine_version != after.pending.engine_version
                    && !saved.contains(resource_id.as_str()) =>
            {
                let what =
                    format!("{resource_id} was asked to go from {} to {}, unsaved", after.running, after.pending);
                return Err(Violation { invariant: "I3", what, when: *at });
            }
            _ => {}
        }
    }
    Ok(())
}

fn major(settings: &Settings) -> Option<u32> {
    settings.engine_version.as_deref()?.split('.').next()?.parse().ok()
}
