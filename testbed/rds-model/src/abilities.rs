//! What RDS lets a caller do to an instance, by its status [RDS User Guide, "Viewing DB instance status", and the pages of the actions].
//! Where they are silent, it is refused.

use crate::state::{Activity, Instance};

/// What an instance lets be done to it. A deletion that skips the final snapshot is always taken, but for one that is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) modify: Modifiable,
    pub(crate) snapshot: bool,
    pub(crate) final_snapshot: bool,
    pub(crate) reboot: bool,
    pub(crate) stop: bool,
    pub(crate) start: bool,
}

/// What of an instance can be modified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modifiable {
    Everything,
    Only(&'static [&'static str]),
    Nothing,
}

const NONE: Abilities = Abilities {
    modify: Modifiable::Nothing,
    snapshot: false,
    final_snapshot: false,
    reboot: false,
    stop: false,
    start: false,
};

impl Abilities {
    /// What an instance lets be done in what it is truly busy with, and in the status that it shows: what either refuses is.
    pub(crate) fn of(instance: &Instance, shown: &str) -> [Self; 2] {
        [Self::within(word(&instance.phase.activity)), Self::within(shown)]
    }

    fn within(status: &str) -> Self {
        match status {
            "available" => Self {
                modify: Modifiable::Everything,
                snapshot: true,
                final_snapshot: true,
                reboot: true,
                stop: true,
                start: false,
            },
            // That its volume cannot be changed has an error of its own.
            "storage-optimization" | "modify-failed" | "upgrade-failed" => {
                Self { modify: Modifiable::Everything, snapshot: true, final_snapshot: true, reboot: true, ..NONE }
            }
            "storage-full" => {
                Self { modify: Modifiable::Only(&["AllocatedStorage", "Iops", "MaxAllocatedStorage"]), ..NONE }
            }
            "incompatible-parameters" => {
                Self { modify: Modifiable::Only(&["DBParameterGroupName"]), reboot: true, ..NONE }
            }
            "incompatible-option-group" => {
                Self { modify: Modifiable::Only(&["OptionGroupName"]), reboot: true, ..NONE }
            }
            "incompatible-credentials" => {
                Self { modify: Modifiable::Only(&["MasterUserPassword"]), reboot: true, ..NONE }
            }
            "stopped" => Self { final_snapshot: true, start: true, ..NONE },
            "inaccessible-encryption-credentials-recoverable" => Self { start: true, ..NONE },
            _ => NONE,
        }
    }
}

impl Modifiable {
    /// Whether a request that sends these parameters is taken.
    pub(crate) fn takes(self, parameters: &[&str]) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(taken) => parameters.iter().all(|name| taken.contains(name)),
            Self::Nothing => false,
        }
    }
}

/// The `DBInstanceStatus` of an activity, from its first moment on.
pub(crate) fn word(activity: &Activity) -> &'static str {
    match activity {
        Activity::Creating { .. } => "creating",
        Activity::BackingUp { .. } => "backing-up",
        Activity::Available => "available",
        Activity::Modifying { change } => change.status(),
        Activity::ResettingCredentials { .. } => "resetting-master-credentials",
        Activity::Rebooting => "rebooting",
        Activity::Stopping { .. } => "stopping",
        Activity::Stopped => "stopped",
        Activity::Starting => "starting",
        Activity::Deleting { .. } => "deleting",
        Activity::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Change, Phase};
    use crate::testing::{at, instance};

    fn can(instance: &Instance, shown: &str, asked: impl Fn(&Abilities) -> bool) -> bool {
        Abilities::of(instance, shown).iter().all(asked)
    }

    #[test]
    fn a_shown_status_takes_abilities_and_gives_none() {
        let mut orders = instance("orders");
        assert!(can(&orders, "available", |can| can.snapshot && can.final_snapshot && can.stop));
        assert!(!can(&orders, "storage-optimization", |can| can.stop));
        for (status, snapshot, last) in
            [("storage-full", false, false), ("storage-optimization", true, true), ("failed", false, false)]
        {
            assert_eq!(
                (can(&orders, status, |c| c.snapshot), can(&orders, status, |c| c.final_snapshot)),
                (snapshot, last),
                "{status}"
            );
        }
        orders.phase = Phase::begin(Activity::Modifying { change: Box::new(Change::default()) }, at(0));
        let modified = |can: &Abilities| can.modify.takes(&["MultiAZ"]);
        assert!(!can(&orders, "available", |can| can.final_snapshot) && !can(&orders, "available", modified));
    }

    #[test]
    fn some_states_take_only_what_mends_them() {
        let takes = |status, parameters: &[&str]| Abilities::within(status).modify.takes(parameters);
        assert!(takes("storage-full", &["AllocatedStorage"]));
        assert!(!takes("storage-full", &["AllocatedStorage", "DBInstanceClass"]));
        assert!(takes("storage-optimization", &["DBInstanceClass"]));
        for status in ["stopped", "creating", "failed", "incompatible-network", "something-new"] {
            assert!(!takes(status, &["DeletionProtection"]), "{status}");
        }
    }
}
