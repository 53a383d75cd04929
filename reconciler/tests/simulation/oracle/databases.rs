//! I2: a database that the status has known and that somebody dropped is not replaced by an empty one unasked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Violation;
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};
use crate::server::Record;
use crate::server::postgres::Event as Inside;

/// What one process has written to the status, another one has read by then.
const READ: Duration = Duration::from_secs(1);

/// No life asks for an empty one.
pub(super) fn irreplaceable(events: &[Happened]) -> Result<(), Violation> {
    let mut known: BTreeMap<&str, BTreeMap<&str, Duration>> = BTreeMap::new();
    let mut processes = 0;
    let mut dropped: BTreeSet<(&str, &str)> = BTreeSet::new();
    for Happened { at, what } in events {
        match what {
            Event::Cluster(ClusterEvent::Status { status, .. }) => {
                let resource = status["instance"]["resourceId"].as_str().unwrap_or_default();
                let databases = status["databases"].as_object().into_iter().flatten();
                let seen = databases.filter(|(_, database)| database["oid"].is_number());
                let known = known.entry(resource).or_default();
                let since = |name: &str| known.get(name).copied().unwrap_or(*at);
                *known = seen.map(|(name, _)| (name.as_str(), since(name))).collect();
            }
            Event::Server(record) => {
                let Record { resource, event, .. } = &**record;
                let read = if processes > 1 { READ } else { Duration::ZERO };
                let since = |name: &str| known.get(resource.as_str()).and_then(|names| names.get(name));
                let is_known = |name: &str| since(name).is_some_and(|since| *since + read <= *at);
                match event {
                    Inside::DatabaseDropped { name, .. } | Inside::DatabaseRenamed { name, .. } => {
                        dropped.insert((resource, name));
                    }
                    Inside::DatabaseCreated { name, .. } if is_known(name) && dropped.contains(&(resource, name)) => {
                        let what = format!("an empty database took the place of {name} in {resource}");
                        return Err(Violation { invariant: "I2", what, when: *at });
                    }
                    _ => {}
                }
            }
            Event::Begun => processes += 1,
            _ => {}
        }
    }
    Ok(())
}
