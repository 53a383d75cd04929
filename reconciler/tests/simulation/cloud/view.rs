//! What a caller is shown of the account at one moment.

use jiff::Timestamp;
use rds_model::{Account, State};
use reconciler::providers::aws::convert;
use reconciler::providers::{Instance, Snapshot, SnapshotKind};

use super::shown;

/// All instances and snapshots, as the adapter reads them, in the order of their identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) instances: Vec<Instance>,
    pub(crate) snapshots: Vec<Kept>,
}

/// A snapshot, and the identifier that its instance had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) of: String,
    pub(crate) snapshot: Snapshot,
}

impl View {
    pub(super) fn new(account: &Account, state: &State, now: Timestamp) -> Self {
        let instances = state.instances.values();
        let instances = instances.filter_map(|instance| convert::instance(&shown::instance(account, instance, now)));
        let snapshots = state.snapshots.values().filter_map(|snapshot| {
            let shown = convert::snapshot(&shown::snapshot(snapshot))?;
            Some(Kept { of: snapshot.source.id.clone(), snapshot: shown })
        });
        Self { instances: instances.collect(), snapshots: snapshots.collect() }
    }

    /// The instance of this name; RDS keeps names in lower case.
    pub(crate) fn named(&self, identifier: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.identifier.eq_ignore_ascii_case(identifier))
    }

    /// The instance with this resource id, whatever it is called.
    pub(crate) fn by_resource(&self, resource_id: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.resource_id.as_deref() == Some(resource_id))
    }

    /// The snapshot of this name.
    pub(crate) fn snapshot(&self, identifier: &str) -> Option<&Snapshot> {
        self.snapshots.iter().map(|kept| &kept.snapshot).find(|snapshot| snapshot.identifier == identifier)
    }

    /// The manual snapshots that were made of an instance of this name.
    pub(crate) fn manual_snapshots_of(&self, identifier: &str) -> impl Iterator<Item = &Snapshot> {
        let made = self.snapshots.iter().filter(move |kept| kept.of.eq_ignore_ascii_case(identifier));
        made.map(|kept| &kept.snapshot).filter(|snapshot| snapshot.kind == SnapshotKind::Manual)
    }

    /// A page that lacks every other instance and snapshot, the first of each among them.
    pub(super) fn in_part(&self) -> Self {
        Self {
            instances: self.instances.iter().skip(1).step_by(2).cloned().collect(),
            snapshots: self.snapshots.iter().skip(1).step_by(2).cloned().collect(),
        }
    }
}
