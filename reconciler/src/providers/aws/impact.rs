//! When RDS applies a change, and what that does to who uses the instance.

use crate::providers::offer::Parts;
use crate::providers::settings::Settings;

/// Magnetic storage: to and from it the instance restarts.
const MAGNETIC: &str = "standard";

/// Source: RDS user guide, "Settings for DB instances": for each setting when it is applied and whether that is an outage.
pub(super) fn of(change: &Settings, running: &Settings) -> Parts {
    let Settings {
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
    } = change.clone();
    let magnetic = [&storage_type, &running.storage_type].map(|kind| kind.as_deref() == Some(MAGNETIC));
    let restarts = storage_type.is_some() && magnetic[0] != magnetic[1];
    // Turning backups on or off is an outage, another number of days is none.
    let switched = backup_retention_days.is_some_and(|days| (days == 0) != (running.backup_retention_days == Some(0)));
    let (quiet_type, other_type) = if restarts { (None, storage_type) } else { (storage_type, None) };
    let (retention, switch) = if switched { (None, backup_retention_days) } else { (backup_retention_days, None) };
    Parts {
        now: Settings {
            auto_minor_version_upgrade,
            max_allocated_gib,
            // The standing of its version changes, and no server with it.
            extended_support,
            backup_retention_days: retention,
            backup_window,
            maintenance_window,
            deletion_protection,
            security_groups,
            // The server takes its values up when it is restarted, which nothing but a request of its own does.
            parameter_group,
            ..Settings::default()
        },
        quiet: Settings {
            allocated_gib,
            iops,
            throughput,
            storage_type: quiet_type,
            multi_az,
            // Said at birth only.
            kms_key,
            ..Settings::default()
        },
        outage: Settings {
            engine_version,
            instance_class,
            storage_type: other_type,
            backup_retention_days: switch,
            subnet_group,
            ..Settings::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_change_is_of_one_kind() {
        let change = Settings {
            engine_version: Some("12.22".into()),
            instance_class: Some("db.t4g.small".into()),
            allocated_gib: Some(40),
            multi_az: Some(true),
            extended_support: Some(false),
            storage_type: Some("gp3".into()),
            backup_retention_days: Some(9),
            maintenance_window: Some("sun:04:00-sun:05:00".into()),
            ..Settings::default()
        };
        let running = |kind: &str, days| Settings {
            storage_type: Some(kind.into()),
            backup_retention_days: Some(days),
            ..Settings::default()
        };
        let names = |settings: &Settings| settings.names().collect::<Vec<_>>();
        for (running, now, quiet, outage) in [
            (
                running("gp2", 7),
                vec!["extended support", "backups kept for", "maintenance window"],
                vec!["storage", "storage type", "standby in another zone"],
                vec!["engine version", "instance class"],
            ),
            (
                running("standard", 0),
                vec!["extended support", "maintenance window"],
                vec!["storage", "standby in another zone"],
                vec!["engine version", "instance class", "storage type", "backups kept for"],
            ),
        ] {
            let impact = of(&change, &running);
            assert_eq!([names(&impact.now), names(&impact.quiet), names(&impact.outage)], [now, quiet, outage]);
            assert_eq!(impact.now.or(impact.quiet).or(impact.outage), change, "nothing is lost");
        }
    }
}
