//! The settings of an instance in RDS's words: what Describe says of them, what Create and Modify are sent, and what RDS offers.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::operation::restore_db_instance_from_db_snapshot::builders::RestoreDBInstanceFromDBSnapshotFluentBuilder as RestoreSnapshot;
use aws_sdk_rds::operation::restore_db_instance_to_point_in_time::builders::RestoreDBInstanceToPointInTimeFluentBuilder as RestoreMoment;
use aws_sdk_rds::types::{DbInstance, PendingModifiedValues};

use shared::rules::{self, DailyWindow, WeeklyWindow};

use crate::providers::request::Origin;
use crate::providers::settings::Settings;

/// As the instance runs with them.
pub(super) fn running(from: &DbInstance) -> Settings {
    let groups = from.vpc_security_groups().iter();
    // One that is being taken away is listed until it is gone.
    let groups = groups.filter(|group| group.status() != Some("removing"));
    Settings {
        engine_version: owned(from.engine_version()),
        auto_minor_version_upgrade: Some(from.auto_minor_version_upgrade().unwrap_or(false)),
        instance_class: owned(from.db_instance_class()),
        allocated_gib: number(from.allocated_storage()),
        iops: number(from.iops()),
        throughput: number(from.storage_throughput()),
        storage_type: owned(from.storage_type()),
        // Without one it does not grow by itself.
        max_allocated_gib: number(from.max_allocated_storage().or(from.allocated_storage())),
        multi_az: Some(from.multi_az().unwrap_or(false)),
        extended_support: from.engine_lifecycle_support().and_then(rules::extended_support),
        backup_retention_days: number(from.backup_retention_period()),
        backup_window: owned(from.preferred_backup_window()),
        maintenance_window: owned(from.preferred_maintenance_window()),
        deletion_protection: Some(from.deletion_protection().unwrap_or(false)),
        security_groups: Some(groups.filter_map(|group| owned(group.vpc_security_group_id())).collect()),
        subnet_group: from.db_subnet_group().and_then(|group| owned(group.db_subnet_group_name())),
        kms_key: owned(from.kms_key_id()),
        parameter_group: from.db_parameter_groups().first().and_then(|group| owned(group.db_parameter_group_name())),
    }
}

/// As they wait to be applied.
pub(super) fn pending(from: &PendingModifiedValues) -> Settings {
    Settings {
        engine_version: owned(from.engine_version()),
        instance_class: owned(from.db_instance_class()),
        allocated_gib: number(from.allocated_storage()),
        iops: number(from.iops()),
        throughput: number(from.storage_throughput()),
        storage_type: owned(from.storage_type()),
        multi_az: from.multi_az(),
        backup_retention_days: number(from.backup_retention_period()),
        ..Settings::default()
    }
}

/// What else waits to be applied: all that RDS lists besides.
pub(super) fn pending_else(from: &PendingModifiedValues) -> Vec<String> {
    let named = [
        ("name", from.db_instance_identifier()),
        ("certificate authority", from.ca_certificate_identifier()),
        ("subnet group", from.db_subnet_group_name()),
        ("license model", from.license_model()),
        ("engine", from.engine()),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    let unnamed = [
        ("port", from.port().is_some()),
        ("logins by IAM", from.iam_database_authentication_enabled().is_some()),
        ("dedicated log volume", from.dedicated_log_volume().is_some()),
        ("processor features", !from.processor_features().is_empty()),
        ("log exports", from.pending_cloudwatch_logs_exports().is_some()),
        ("multi-tenant", from.multi_tenant().is_some()),
    ];
    named.chain(unnamed.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_owned())).collect()
}

/// Those of a new instance. Nothing is left out by `..`.
pub(super) fn create(call: CreateDBInstanceFluentBuilder, settings: &Settings) -> CreateDBInstanceFluentBuilder {
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
    } = settings.clone();
    call.set_engine_version(engine_version)
        .set_auto_minor_version_upgrade(auto_minor_version_upgrade)
        .set_db_instance_class(instance_class)
        .set_allocated_storage(allocated_gib.map(whole))
        .set_iops(iops.map(whole))
        .set_storage_throughput(throughput.map(whole))
        .set_storage_type(storage_type)
        .set_max_allocated_storage(max_allocated_gib.map(whole))
        .set_multi_az(multi_az)
        .set_engine_lifecycle_support(extended_support.map(support))
        .set_backup_retention_period(backup_retention_days.map(whole))
        .set_preferred_backup_window(backup_window)
        .set_preferred_maintenance_window(maintenance_window)
        .set_deletion_protection(deletion_protection)
        .set_vpc_security_group_ids(security_groups.map(listed))
        .set_db_subnet_group_name(subnet_group)
        .set_kms_key_id(kms_key)
        .set_db_parameter_group_name(parameter_group)
}

/// Those that become otherwise. Nothing is left out by `..`.
pub(super) fn modify(call: ModifyDBInstanceFluentBuilder, change: &Settings) -> ModifyDBInstanceFluentBuilder {
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
        // RDS encrypts an instance at its birth, with that key for good.
        kms_key: _,
        parameter_group,
    } = change.clone();
    call.set_engine_version(engine_version)
        .set_auto_minor_version_upgrade(auto_minor_version_upgrade)
        .set_db_instance_class(instance_class)
        .set_allocated_storage(allocated_gib.map(whole))
        .set_iops(iops.map(whole))
        .set_storage_throughput(throughput.map(whole))
        .set_storage_type(storage_type)
        .set_max_allocated_storage(max_allocated_gib.map(whole))
        .set_multi_az(multi_az)
        .set_engine_lifecycle_support(extended_support.map(support))
        .set_backup_retention_period(backup_retention_days.map(whole))
        .set_preferred_backup_window(backup_window)
        .set_preferred_maintenance_window(maintenance_window)
        .set_deletion_protection(deletion_protection)
        .set_vpc_security_group_ids(security_groups.map(listed))
        .set_db_subnet_group_name(subnet_group)
        .set_db_parameter_group_name(parameter_group)
}

/// What a restore can be told. Version, size and key come with the data; the maintenance window it cannot be told.
///
/// Source: RDS API, RestoreDBInstanceFromDBSnapshot and RestoreDBInstanceToPointInTime, their request parameters.
pub(super) fn said_at_restore(settings: Settings, origin: &Origin) -> Settings {
    let moment = matches!(origin, Origin::PointInTime { .. });
    Settings {
        engine_version: None,
        allocated_gib: None,
        kms_key: None,
        maintenance_window: None,
        max_allocated_gib: settings.max_allocated_gib.filter(|_| moment),
        ..settings
    }
}

/// What both restores take. Nothing is left out by `..`.
macro_rules! restored {
    ($call:expr, $settings:expr) => {{
        let Settings {
            // See `said_at_restore`.
            engine_version: _,
            allocated_gib: _,
            kms_key: _,
            maintenance_window: _,
            max_allocated_gib: _,
            auto_minor_version_upgrade,
            instance_class,
            iops,
            throughput,
            storage_type,
            multi_az,
            extended_support,
            backup_retention_days,
            backup_window,
            deletion_protection,
            security_groups,
            subnet_group,
            parameter_group,
        } = $settings.clone();
        $call
            .set_auto_minor_version_upgrade(auto_minor_version_upgrade)
            .set_db_instance_class(instance_class)
            .set_iops(iops.map(whole))
            .set_storage_throughput(throughput.map(whole))
            .set_storage_type(storage_type)
            .set_multi_az(multi_az)
            .set_engine_lifecycle_support(extended_support.map(support))
            .set_backup_retention_period(backup_retention_days.map(whole))
            .set_preferred_backup_window(backup_window)
            .set_deletion_protection(deletion_protection)
            .set_vpc_security_group_ids(security_groups.map(listed))
            .set_db_subnet_group_name(subnet_group)
            .set_db_parameter_group_name(parameter_group)
    }};
}

/// Those of an instance that is made of a snapshot.
pub(super) fn restore_snapshot(call: RestoreSnapshot, settings: &Settings) -> RestoreSnapshot {
    restored!(call, settings)
}

/// Those of an instance that is made of automated backups.
pub(super) fn restore_moment(call: RestoreMoment, settings: &Settings) -> RestoreMoment {
    restored!(call, settings).set_max_allocated_storage(settings.max_allocated_gib.map(whole))
}

/// From this size on the performance of gp3 can be chosen, and begins with the least of both ranges.
const CHOSEN_FROM_GIB: u32 = 400;
const GP3_IOPS: RangeInclusive<u32> = 12_000..=64_000;
/// MiB/s.
const GP3_THROUGHPUT: RangeInclusive<u32> = 500..=4_000;
/// I/O operations a second for each MiB/s, at least.
const GP3_IOPS_PER_MIB: u32 = 4;

/// Whether RDS offers them. What it has of types that no class can name, it judges itself.
///
/// Source: RDS user guide, "Amazon RDS DB instance storage"; of provisioned IOPS it takes no size without their number, at a birth or later.
pub(super) fn offers(settings: &Settings) -> Result<(), String> {
    let Settings { storage_type, allocated_gib, iops, throughput, backup_window, maintenance_window, .. } = settings;
    let daily = backup_window.as_deref().and_then(|text| DailyWindow::parse(text).ok());
    let weekly = maintenance_window.as_deref().and_then(|text| WeeklyWindow::parse(text).ok());
    if let (Some(daily), Some(weekly)) = (daily, weekly)
        && daily.overlaps(weekly)
    {
        return Err(format!(
            "the maintenance window {weekly} overlaps the backup window {daily}: move one of them (spec.maintenanceWindow, spec.backup.window)"
        ));
    }
    match (storage_type.as_deref(), allocated_gib) {
        (Some("gp3"), Some(gib)) => gp3(*gib, *iops, *throughput),
        (Some("gp2"), _) => match chosen(*iops, *throughput).into_iter().flatten().next() {
            Some(field) => Err(format!("{field} is not offered for gp2, which takes none: leave it out")),
            None => Ok(()),
        },
        (Some(kind @ ("io1" | "io2")), Some(_)) if iops.is_none() => {
            Err(format!("spec.size: RDS takes a size of {kind} only together with its IOPS: write spec.storage.iops"))
        }
        _ => Ok(()),
    }
}

fn gp3(gib: u32, iops: Option<u32>, throughput: Option<u32>) -> Result<(), String> {
    let ranges = [(iops, GP3_IOPS), (throughput, GP3_THROUGHPUT)];
    for (field, (value, range)) in chosen(iops, throughput).into_iter().zip(ranges) {
        let (Some(field), Some(value)) = (field, value) else { continue };
        if gib < CHOSEN_FROM_GIB {
            return Err(format!(
                "{field} is not offered for {gib} GiB of gp3: below {CHOSEN_FROM_GIB} GiB it has 3000 IOPS and 125 MiB/s, and takes no word of them; \
                 leave it out, or write a spec.size of {CHOSEN_FROM_GIB}Gi or more"
            ));
        }
        if !range.contains(&value) {
            return Err(format!("{field} is not offered for gp3: write {} to {}", range.start(), range.end()));
        }
    }
    let (have, wanted) = (iops.unwrap_or(*GP3_IOPS.start()), throughput.unwrap_or_default());
    if wanted * GP3_IOPS_PER_MIB > have {
        let (most, enough) = (have / GP3_IOPS_PER_MIB, wanted * GP3_IOPS_PER_MIB);
        return Err(format!(
            "spec.storage.throughput: {wanted} is not offered with {have} IOPS, but {most} at most: write less, or a spec.storage.iops of {enough}"
        ));
    }
    Ok(())
}

/// Each that is asked for, as people know it.
fn chosen(iops: Option<u32>, throughput: Option<u32>) -> [Option<String>; 2] {
    [("iops", iops), ("throughput", throughput)]
        .map(|(field, value)| value.map(|value| format!("spec.storage.{field}: {value}")))
}

/// RDS's word.
fn support(extended: bool) -> String {
    rules::lifecycle_support(extended).to_owned()
}

fn listed(groups: BTreeSet<String>) -> Vec<String> {
    groups.into_iter().collect()
}

pub(super) fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

pub(super) fn number(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok())
}

/// RDS speaks 32-bit integers; every number of ours is bounded far below.
fn whole(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gp3_does_can_be_chosen_from_400_gib_on() {
        for (kind, gib, iops, throughput, said) in [
            ("gp3", 399, None, None, None),
            (
                "gp3",
                399,
                Some(12_000),
                None,
                Some("spec.storage.iops: 12000 is not offered for 399 GiB of gp3: below 400 GiB"),
            ),
            ("gp3", 20, None, Some(125), Some("spec.storage.throughput: 125 is not offered for 20 GiB")),
            ("gp3", 400, None, None, None),
            ("gp3", 400, Some(12_000), Some(500), None),
            (
                "gp3",
                400,
                Some(11_999),
                None,
                Some("spec.storage.iops: 11999 is not offered for gp3: write 12000 to 64000"),
            ),
            ("gp3", 400, Some(64_001), None, Some("64001")),
            ("gp3", 400, None, Some(499), Some("write 500 to 4000")),
            ("gp3", 400, None, Some(3_000), None),
            (
                "gp3",
                400,
                None,
                Some(3_001),
                Some(
                    "3001 is not offered with 12000 IOPS, but 3000 at most: write less, or a spec.storage.iops of 12004",
                ),
            ),
            ("gp3", 400, Some(16_000), Some(4_000), None),
            ("gp2", 400, None, None, None),
            ("gp2", 400, None, Some(500), Some("spec.storage.throughput: 500 is not offered for gp2")),
            ("io1", 100, None, None, Some("write spec.storage.iops")),
            ("io1", 100, Some(1_000), None, None),
        ] {
            let settings = Settings {
                storage_type: Some(kind.into()),
                allocated_gib: Some(gib),
                iops,
                throughput,
                ..Settings::default()
            };
            let refused = offers(&settings).err();
            let fits = match (&refused, said) {
                (Some(refused), Some(said)) => refused.contains(said),
                (refused, said) => refused.is_none() && said.is_none(),
            };
            assert!(fits, "{settings}: {refused:?}");
        }
    }
}
