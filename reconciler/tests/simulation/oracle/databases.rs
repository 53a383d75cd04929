//! I2: a database that the status has known and that somebody dropped is not replaced by an empty one unasked.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};
use crate::server::Record;
use crate::server::postgres::Event as Inside;

/// No life asks for an empty one.
pub(super) fn irreplaceable(events: &[Happened]) -> Result<(), Violation> {
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut dropped: BTreeSet<(&str, &str)> = BTreeSet::new();
    for Happened { at, what } in events {
        match what {
            Event::Cluster(ClusterEvent::Status { status, .. }) => {
                let resource = status["instance"]["resourceId"].as_str().unwrap_or_default();
                let databases = status["databases"].as_object().into_iter().flatten();
                let seen = databases.filter(|(_, database)| database["oid"].is_number());
                known.insert(resource, seen.map(|(name, _)| name.as_str()).collect());
            }
            Event::Server(record) => {
                let Record { resource, event, .. } = &**record;
                let is_known = |name: &str| known.get(resource.as_str()).is_some_and(|names| names.contains(name));
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
            _ => {}
        }
    }
    Ok(())
}
