//! What the server knows: everything here is kept in one file and survives a restart.

mod backup;
mod change;
mod event;
mod instance;
pub(crate) mod news;
mod observability;
mod ordered;
mod phase;
mod snapshot;

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

pub(crate) use backup::RetainedBackup;
pub(crate) use change::{CertificateRotation, Change};
pub(crate) use event::{Category, Event, Source};
pub(crate) use instance::{Instance, Tags};
pub(crate) use observability::{Insights, Monitoring, Retained};
pub(crate) use ordered::Ordered;
pub(crate) use phase::{Activity, Phase};
pub(crate) use snapshot::{Snapshot, SnapshotKind, SnapshotStatus};

/// All instances, snapshots and events of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// By identifier.
    pub(crate) instances: BTreeMap<String, Instance>,
    /// By identifier; automated ones are called `rds:…`.
    pub(crate) snapshots: BTreeMap<String, Snapshot>,
    /// Automated backups without an instance, by its resource id.
    #[serde(default)]
    pub(crate) retained: BTreeMap<String, RetainedBackup>,
    /// Oldest first.
    pub(crate) events: Vec<Event>,
    #[serde(default)]
    next_event: u64,
}

impl State {
    /// Records an event and forgets those older than the 14 days that RDS keeps.
    pub(crate) fn record(&mut self, source: Source, category: Category, message: impl Into<String>, now: Timestamp) {
        self.next_event += 1;
        self.events.push(Event { sequence: self.next_event, at: now, source, category, message: message.into() });
        let horizon = now - (14 * 24).hours();
        self.events.retain(|event| event.at >= horizon);
    }

    /// Records all that is said about an instance at once.
    pub(crate) fn report(&mut self, source: &Source, said: Vec<news::News>, now: Timestamp) {
        for (category, message) in said {
            self.record(source.clone(), category, message, now);
        }
    }

    /// The instance with this resource id, whatever it is called.
    pub(crate) fn by_resource(&self, resource_id: &str) -> Option<&Instance> {
        self.instances.values().find(|instance| instance.resource_id == resource_id)
    }

    /// As [`State::by_resource`], to change it.
    pub(crate) fn by_resource_mut(&mut self, resource_id: &str) -> Option<&mut Instance> {
        self.instances.values_mut().find(|instance| instance.resource_id == resource_id)
    }
}
