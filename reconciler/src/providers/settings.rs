//! The settings of an instance, in one shape for all that is said of them.

use std::collections::BTreeSet;
use std::fmt;

use shared::number::counted;

/// The settings of an instance: as they are wanted, as it runs with them, as they wait to be applied, or as a change of them. `None` says
/// nothing of a setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Settings {
    /// Engine version, such as `12.22`; a major one alone where the provider is to pick the minor one.
    pub engine_version: Option<String>,
    /// Whether the provider upgrades the minor version by itself.
    pub auto_minor_version_upgrade: Option<bool>,
    /// Compute size, such as `db.t4g.micro`.
    pub instance_class: Option<String>,
    /// Allocated storage, in GiB.
    pub allocated_gib: Option<u32>,
    /// I/O operations a second.
    pub iops: Option<u32>,
    /// Throughput of the storage, in MiB/s.
    pub throughput: Option<u32>,
    /// Storage type, such as `gp3`.
    pub storage_type: Option<String>,
    /// The size, in GiB, up to which the provider lets the storage grow by itself; what is allocated where it does not.
    pub max_allocated_gib: Option<u32>,
    /// Whether there is a standby in another zone.
    pub multi_az: Option<bool>,
    /// Whether the provider goes on supporting its version, for a fee, when its standard support has ended.
    pub extended_support: Option<bool>,
    /// Days that automated backups are kept.
    pub backup_retention_days: Option<u32>,
    /// Daily window of automated backups, `hh24:mi-hh24:mi` UTC.
    pub backup_window: Option<String>,
    /// Weekly window of what is an outage, `ddd:hh24:mi-ddd:hh24:mi` UTC.
    pub maintenance_window: Option<String>,
    /// Whether the provider refuses to delete the instance.
    pub deletion_protection: Option<bool>,
    /// Security groups: all that the instance has, or is to have.
    pub security_groups: Option<BTreeSet<String>>,
    /// Subnet group.
    pub subnet_group: Option<String>,
    /// Key that the storage is encrypted with.
    pub kms_key: Option<String>,
    /// Group of parameters that the server is started with, by its name.
    pub parameter_group: Option<String>,
}

/// Two sets of settings, put together setting by setting.
macro_rules! both {
    ($these:expr, $those:expr, $together:expr) => {{
        let (these, those) = ($these, $those);
        Settings {
            engine_version: $together(these.engine_version, those.engine_version),
            auto_minor_version_upgrade: $together(these.auto_minor_version_upgrade, those.auto_minor_version_upgrade),
            instance_class: $together(these.instance_class, those.instance_class),
            allocated_gib: $together(these.allocated_gib, those.allocated_gib),
            iops: $together(these.iops, those.iops),
            throughput: $together(these.throughput, those.throughput),
            storage_type: $together(these.storage_type, those.storage_type),
            max_allocated_gib: $together(these.max_allocated_gib, those.max_allocated_gib),
            multi_az: $together(these.multi_az, those.multi_az),
            extended_support: $together(these.extended_support, those.extended_support),
            backup_retention_days: $together(these.backup_retention_days, those.backup_retention_days),
            backup_window: $together(these.backup_window, those.backup_window),
            maintenance_window: $together(these.maintenance_window, those.maintenance_window),
            deletion_protection: $together(these.deletion_protection, those.deletion_protection),
            security_groups: $together(these.security_groups, those.security_groups),
            subnet_group: $together(these.subnet_group, those.subnet_group),
            kms_key: $together(these.kms_key, those.kms_key),
            parameter_group: $together(these.parameter_group, those.parameter_group),
        }
    }};
}

/// A setting's name for people, and its value.
type Field = (&'static str, Option<String>);

impl Settings {
    /// What of these settings is neither so (`running`) nor about to be (`pending`): the change that is left to ask for.
    #[must_use]
    pub fn beyond(self, running: &Self, pending: &Self) -> Self {
        #[allow(clippy::needless_pass_by_value, reason = "both come as they are")]
        fn left<T: PartialEq>(wanted: Option<T>, have: Option<T>) -> Option<T> {
            wanted.filter(|wanted| have.as_ref() != Some(wanted))
        }
        both!(self, pending.clone().or(running.clone()), left)
    }

    /// These settings, and where they say nothing those.
    #[must_use]
    pub fn or(self, those: Self) -> Self {
        both!(self, those, Option::or)
    }

    /// These settings but those of which the others say something.
    #[must_use]
    pub fn without(self, those: &Self) -> Self {
        #[allow(clippy::needless_pass_by_value, reason = "both come as they are")]
        fn alone<T>(this: Option<T>, that: Option<T>) -> Option<T> {
            this.filter(|_| that.is_none())
        }
        both!(self, those.clone(), alone)
    }

    /// Something is said of the storage.
    pub fn touches_storage(&self) -> bool {
        let Self { allocated_gib, iops, throughput, storage_type, max_allocated_gib, .. } = self;
        let numbers = [allocated_gib, iops, throughput, max_allocated_gib];
        storage_type.is_some() || numbers.into_iter().any(Option::is_some)
    }

    /// Something is said of the backups.
    pub fn touches_backups(&self) -> bool {
        self.backup_retention_days.is_some() || self.backup_window.is_some()
    }

    /// The settings of which something is said, by their names for people.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields().into_iter().filter_map(|(name, value)| value.and(Some(name)))
    }

    /// Nothing is said of any setting.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// This change of an instance that is or will be as `have`, in words: `storage 20 GiB to 94 GiB`. What stays is not told.
    pub fn from(&self, have: &Self) -> String {
        let fields = self.fields().into_iter().zip(have.fields());
        let changes = fields.filter_map(|((name, wanted), (_, have))| {
            let wanted = wanted?;
            match have {
                Some(have) if have == wanted => None,
                Some(have) => Some(format!("{name} {have} to {wanted}")),
                None => Some(format!("{name} {wanted}")),
            }
        });
        changes.collect::<Vec<_>>().join(", ")
    }

    fn fields(&self) -> [Field; 18] {
        let Self {
            engine_version,
            auto_minor_version_upgrade,
            instance_class,
            allocated_gib,
            iops,
            throughput,
            storage_type,
            max_allocated_gib,
            multi_az,
            extended_support,
            backup_retention_days,
            backup_window,
            maintenance_window,
            deletion_protection,
            security_groups,
            subnet_group,
            kms_key,
            parameter_group,
        } = self;
        let switch = |on: &bool| if *on { "on" } else { "off" }.to_owned();
        [
            ("engine version", engine_version.clone()),
            ("automatic minor upgrades", auto_minor_version_upgrade.as_ref().map(switch)),
            ("instance class", instance_class.clone()),
            ("storage", allocated_gib.map(|gib| format!("{gib} GiB"))),
            ("IOPS", iops.map(|iops| iops.to_string())),
            ("throughput", throughput.map(|mib| format!("{mib} MiB/s"))),
            ("storage type", storage_type.clone()),
            ("storage grows by itself to", max_allocated_gib.map(|gib| format!("{gib} GiB"))),
            ("standby in another zone", multi_az.as_ref().map(switch)),
            ("extended support", extended_support.as_ref().map(switch)),
            ("backups kept for", backup_retention_days.map(days)),
            ("backup window", backup_window.clone()),
            ("maintenance window", maintenance_window.clone()),
            ("deletion protection", deletion_protection.as_ref().map(switch)),
            (
                "security groups",
                security_groups.as_ref().map(|groups| groups.iter().cloned().collect::<Vec<_>>().join(" ")),
            ),
            ("subnet group", subnet_group.clone()),
            ("encrypted with", kms_key.clone()),
            ("parameter group", parameter_group.clone()),
        ]
    }
}

/// A number of days in words.
pub(crate) fn days(number: u32) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "day")
}

/// What is said of them, in words.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.from(&Self::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_is_not_asked_for_again() {
        let storage = |gib| Settings { allocated_gib: Some(gib), ..Settings::default() };
        let class = |name: &str| Settings { instance_class: Some(name.into()), ..Settings::default() };
        let nothing = Settings::default();
        for (wanted, running, pending, left) in [
            (storage(30), storage(20), nothing.clone(), storage(30)),
            (storage(30), storage(20), storage(30), nothing.clone()),
            (storage(30), storage(30), storage(40), storage(30)),
            (class("a"), class("a"), nothing.clone(), nothing.clone()),
            (class("a"), nothing.clone(), nothing.clone(), class("a")),
            (nothing.clone(), class("a"), class("b"), nothing),
        ] {
            assert_eq!(wanted.clone().beyond(&running, &pending), left, "{wanted} over {running}, {pending} to come");
        }
    }

    #[test]
    fn a_change_says_from_what_to_what() {
        let have = Settings {
            allocated_gib: Some(20),
            iops: Some(12_000),
            deletion_protection: Some(false),
            ..Settings::default()
        };
        let change = Settings {
            allocated_gib: Some(94),
            iops: Some(12_000),
            throughput: Some(600),
            deletion_protection: Some(true),
            backup_retention_days: Some(1),
            ..Settings::default()
        };
        assert_eq!(
            change.from(&have),
            "storage 20 GiB to 94 GiB, throughput 600 MiB/s, backups kept for 1 day, deletion protection off to on"
        );
    }
}
