//! I13: what goes on and on is not told on and on.

use std::collections::BTreeMap;

use super::Violation;
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};

/// A change that comes and goes is told each time.
const MOST: usize = 12;

/// Nobody is told the same of an object over and over by one process.
pub(super) fn told(events: &[Happened]) -> Result<(), Violation> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for Happened { at, what } in events {
        let (uid, note) = match what {
            Event::Cluster(ClusterEvent::Told { uid, note }) => (uid, note),
            Event::Cluster(_)
            | Event::Cloud { .. }
            | Event::Server(_)
            | Event::Declared { .. }
            | Event::ClockSet { .. } => continue,
            Event::Begun => {
                counts.clear();
                continue;
            }
        };
        let count = counts.entry((uid, note)).or_default();
        *count += 1;
        if *count > MOST {
            let what = format!("of {uid} it was told {count} times: {note}");
            return Err(Violation { invariant: "I13", what, when: *at });
        }
    }
    Ok(())
}
