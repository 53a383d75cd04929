//! What RDS knows. The server keeps it in one file.

mod backup;
mod change;
mod event;
mod instance;
mod maintenance;
pub(crate) mod news;
mod observability;
mod ordered;
mod parameter_group;
mod phase;
mod snapshot;
mod upgrade;

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

pub use backup::RetainedBackup;
pub use change::{CertificateRotation, Change};
pub use event::{Category, Event, Source};
pub use instance::{Instance, Tags};
pub use maintenance::{Maintenance, MaintenanceAction, OptIn, PendingMaintenance};
pub use observability::{Insights, Monitoring, Retained};
pub use ordered::Ordered;
pub(crate) use parameter_group::default_group;
pub use parameter_group::{ApplyMethod, ParameterGroup, ParameterGroups, Running, Setting};
pub use phase::{Activity, Phase, PointInTime};
pub use snapshot::{Snapshot, SnapshotCopy, SnapshotKind, SnapshotStatus};
pub use upgrade::FailedUpgrade;

/// All instances, snapshots, parameter groups and events of one account in one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// By identifier.
    pub instances: BTreeMap<String, Instance>,
    /// By identifier; automated ones are called `rds:…`.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// Automated backups without an instance, by its resource id.
    #[serde(default)]
    pub retained: BTreeMap<String, RetainedBackup>,
    /// Those that somebody made, by name.
    #[serde(default)]
    pub parameter_groups: ParameterGroups,
    /// Oldest first.
    pub events: Vec<Event>,
    #[serde(default)]
    next_event: u64,
    /// How far [`crate::advance`] has played it. A server, whose clock is the world's, has no use for it.
    #[serde(skip)]
    pub(crate) played: Timestamp,
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

    /// The server of an instance is started with what its parameter group says now.
    pub(crate) fn load_parameters(&mut self, resource_id: &str) {
        let groups = &self.parameter_groups;
        if let Some(instance) = self.instances.values_mut().find(|instance| instance.resource_id == resource_id) {
            instance.load_parameters(groups);
        }
    }

    /// Looks what of its parameter group the server of an instance does not run with.
    pub(crate) fn compare_parameters(&mut self, resource_id: &str, now: Timestamp) {
        let groups = &self.parameter_groups;
        if let Some(instance) = self.instances.values_mut().find(|instance| instance.resource_id == resource_id) {
            instance.compare_parameters(groups, now);
        }
    }

    /// Forgets all events: for who never asks for them, a state is the same whatever led to it.
    pub fn forget_events(&mut self) {
        self.events.clear();
        self.next_event = 0;
    }

    /// The instance with this resource id, whatever it is called.
    pub fn by_resource(&self, resource_id: &str) -> Option<&Instance> {
        self.instances.values().find(|instance| instance.resource_id == resource_id)
    }

    /// As [`State::by_resource`], to change it.
    pub(crate) fn by_resource_mut(&mut self, resource_id: &str) -> Option<&mut Instance> {
        self.instances.values_mut().find(|instance| instance.resource_id == resource_id)
    }
}
