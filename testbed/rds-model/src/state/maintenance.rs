//! Maintenance that RDS has in store for an instance.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Change, Instance};
use crate::versions::EngineVersion;
use crate::windows;

/// What is to be done, in the words of the API [RDS API Reference, "PendingMaintenanceAction"].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaintenanceAction {
    /// Another certificate of the server.
    CaCertificateRotation,
    /// The newest minor version of the engine.
    DbUpgrade,
    /// Another host.
    HardwareMaintenance,
    /// A newer operating system.
    OsUpgrade,
    /// Something of RDS's own.
    SystemUpdate,
}

impl MaintenanceAction {
    const ALL: [Self; 5] =
        [Self::CaCertificateRotation, Self::DbUpgrade, Self::HardwareMaintenance, Self::OsUpgrade, Self::SystemUpdate];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::CaCertificateRotation => "ca-certificate-rotation",
            Self::DbUpgrade => "db-upgrade",
            Self::HardwareMaintenance => "hardware-maintenance",
            Self::OsUpgrade => "os-upgrade",
            Self::SystemUpdate => "system-update",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// When an action that is pending is applied. Without a date it is optional, and waits until somebody opts in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintenance {
    /// For people.
    pub description: Option<String>,
    /// From then on it is applied in the maintenance window.
    pub auto_applied_after: Option<Timestamp>,
    /// Then it is applied, whatever the window.
    pub forced_apply: Option<Timestamp>,
    /// What the caller wants of it.
    pub opt_in: Option<OptIn>,
}

/// The `OptInType` of the API, but for the one that undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptIn {
    /// It is applied now, which cannot be undone.
    Immediate,
    /// It is applied in the next maintenance window.
    NextMaintenance,
}

impl OptIn {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::NextMaintenance => "next-maintenance",
        }
    }
}

/// What is pending, by action.
pub type PendingMaintenance = BTreeMap<MaintenanceAction, Maintenance>;

impl Maintenance {
    /// Whether it comes whatever the caller wants.
    pub(crate) fn required(&self) -> bool {
        self.auto_applied_after.is_some() || self.forced_apply.is_some()
    }

    /// When it is applied to an instance with this maintenance window, as seen now: the `CurrentApplyDate` of the API.
    pub fn applied_at(&self, window: &str, now: Timestamp) -> Option<Timestamp> {
        let opted = self.opt_in.map(|opted| match opted {
            OptIn::Immediate => now,
            OptIn::NextMaintenance => windows::opens(window, now),
        });
        let by_itself = self.auto_applied_after.map(|after| windows::opens(window, now.max(after)));
        let forced = self.forced_apply.map(|date| date.max(now));
        [opted, by_itself, forced].into_iter().flatten().min()
    }
}

impl Instance {
    /// When the next maintenance is applied.
    pub(crate) fn next_maintenance(&self, now: Timestamp) -> Option<Timestamp> {
        self.maintenance.values().filter_map(|pending| pending.applied_at(&self.maintenance_window, now)).min()
    }

    /// Adds the maintenance that `wanted` names to a change.
    pub(crate) fn maintain(&self, change: &mut Change, wanted: impl Fn(MaintenanceAction, &Maintenance) -> bool) {
        let actions = self.maintenance.iter().filter(|(action, pending)| wanted(**action, pending));
        change.maintenance.extend(actions.map(|(action, _)| *action));
        if change.maintenance.contains(&MaintenanceAction::DbUpgrade) {
            let newest = EngineVersion::default_of(self.engine_version.major);
            change.engine_version = change.engine_version.or(newest.filter(|newest| *newest > self.engine_version));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_comes_from_the_caller_the_window_or_force_whichever_is_first() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        // 2026-03-01 is a Sunday, and the window an hour from 05:00 on.
        let (window, now) = ("sun:05:00-sun:06:00", at("2026-03-02T00:00:00Z"));
        let pending = |opt_in, after: Option<&str>, forced: Option<&str>| Maintenance {
            opt_in,
            auto_applied_after: after.map(at),
            forced_apply: forced.map(at),
            ..Maintenance::default()
        };
        for (pending, applied) in [
            (pending(None, None, None), None),
            (pending(Some(OptIn::Immediate), None, None), Some("2026-03-02T00:00:00Z")),
            (pending(Some(OptIn::NextMaintenance), None, None), Some("2026-03-08T05:00:00Z")),
            (pending(None, Some("2026-03-09T00:00:00Z"), None), Some("2026-03-15T05:00:00Z")),
            (pending(None, Some("2026-03-01T00:00:00Z"), Some("2026-03-04T12:00:00Z")), Some("2026-03-04T12:00:00Z")),
            (pending(None, None, Some("2026-02-01T00:00:00Z")), Some("2026-03-02T00:00:00Z")),
        ] {
            assert_eq!(pending.applied_at(window, now), applied.map(at), "{pending:?}");
        }
    }
}
