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
    /// Days that automated backups are kept.
    pub backup_retention_days: Option<u32>,
    /// Whether the provider refuses to delete the instance.
    pub deletion_protection: Option<bool>,
    /// Security groups: all that the instance has, or is to have.
    pub security_groups: Option<BTreeSet<String>>,
    /// Subnet group.
    pub subnet_group: Option<String>,
    /// Key that the storage is encrypted with.
    pub kms_key: Option<String>,
}

/// A setting's name for people, and its value.
type Field = (&'static str, Option<String>);

impl Settings {
    /// What of these settings is neither so (`running`) nor about to be (`pending`): the change that is left to ask for.
    #[must_use]
    pub fn beyond(self, running: &Self, pending: &Self) -> Self {
        fn left<T: PartialEq>(wanted: Option<T>, have: Option<&T>) -> Option<T> {
            wanted.filter(|wanted| have != Some(wanted))
        }
        let have = pending.clone().or(running.clone());
        Self {
            engine_version: left(self.engine_version, have.engine_version.as_ref()),
            auto_minor_version_upgrade: left(self.auto_minor_version_upgrade, have.auto_minor_version_upgrade.as_ref()),
            instance_class: left(self.instance_class, have.instance_class.as_ref()),
            allocated_gib: left(self.allocated_gib, have.allocated_gib.as_ref()),
            iops: left(self.iops, have.iops.as_ref()),
            throughput: left(self.throughput, have.throughput.as_ref()),
            storage_type: left(self.storage_type, have.storage_type.as_ref()),
            backup_retention_days: left(self.backup_retention_days, have.backup_retention_days.as_ref()),
            deletion_protection: left(self.deletion_protection, have.deletion_protection.as_ref()),
            security_groups: left(self.security_groups, have.security_groups.as_ref()),
            subnet_group: left(self.subnet_group, have.subnet_group.as_ref()),
            kms_key: left(self.kms_key, have.kms_key.as_ref()),
        }
    }

    /// These settings, and where they say nothing those.
    #[must_use]
    pub fn or(self, those: Self) -> Self {
        Self {
            engine_version: self.engine_version.or(those.engine_version),
            auto_minor_version_upgrade: self.auto_minor_version_upgrade.or(those.auto_minor_version_upgrade),
            instance_class: self.instance_class.or(those.instance_class),
            allocated_gib: self.allocated_gib.or(those.allocated_gib),
            iops: self.iops.or(those.iops),
            throughput: self.throughput.or(those.throughput),
            storage_type: self.storage_type.or(those.storage_type),
            backup_retention_days: self.backup_retention_days.or(those.backup_retention_days),
            deletion_protection: self.deletion_protection.or(those.deletion_protection),
            security_groups: self.security_groups.or(those.security_groups),
            subnet_group: self.subnet_group.or(those.subnet_group),
            kms_key: self.kms_key.or(those.kms_key),
        }
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

    fn fields(&self) -> [Field; 12] {
        let Self {
            engine_version,
            auto_minor_version_upgrade,
            instance_class,
            allocated_gib,
            iops,
            throughput,
            storage_type,
            backup_retention_days,
            deletion_protection,
            security_groups,
            subnet_group,
            kms_key,
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
            ("backups kept for", backup_retention_days.map(days)),
            ("deletion protection", deletion_protection.as_ref().map(switch)),
            (
                "security groups",
                security_groups.as_ref().map(|groups| groups.iter().cloned().collect::<Vec<_>>().join(" ")),
            ),
            ("subnet group", subnet_group.clone()),
            ("encrypted with", kms_key.clone()),
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
