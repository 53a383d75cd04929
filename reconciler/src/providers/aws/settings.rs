//! The settings of an instance in RDS's words: what Describe says of them, what Create and Modify are sent, and what RDS offers.

use std::collections::BTreeSet;

use aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::types::{DbInstance, PendingModifiedValues};

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
        storage_type: owned(from.storage_type()),
        backup_retention_days: number(from.backup_retention_period()),
        deletion_protection: Some(from.deletion_protection().unwrap_or(false)),
        security_groups: Some(groups.filter_map(|group| owned(group.vpc_security_group_id())).collect()),
        subnet_group: from.db_subnet_group().and_then(|group| owned(group.db_subnet_group_name())),
        kms_key: owned(from.kms_key_id()),
    }
}

/// As they wait to be applied.
pub(super) fn pending(from: &PendingModifiedValues) -> Settings {
    Settings {
        engine_version: owned(from.engine_version()),
        instance_class: owned(from.db_instance_class()),
        allocated_gib: number(from.allocated_storage()),
        storage_type: owned(from.storage_type()),
        backup_retention_days: number(from.backup_retention_period()),
        ..Settings::default()
    }
}

/// Those of a new instance. Nothing is left out by `..`.
pub(super) fn create(call: CreateDBInstanceFluentBuilder, settings: &Settings) -> CreateDBInstanceFluentBuilder {
    let Settings {
        engine_version,
        auto_minor_version_upgrade,
        instance_class,
        allocated_gib,
        storage_type,
        backup_retention_days,
        deletion_protection,
        security_groups,
        subnet_group,
        kms_key,
    } = settings.clone();
    call.set_engine_version(engine_version)
        .set_auto_minor_version_upgrade(auto_minor_version_upgrade)
        .set_db_instance_class(instance_class)
        .set_allocated_storage(allocated_gib.map(whole))
        .set_storage_type(storage_type)
        .set_backup_retention_period(backup_retention_days.map(whole))
        .set_deletion_protection(deletion_protection)
        .set_vpc_security_group_ids(security_groups.map(listed))
        .set_db_subnet_group_name(subnet_group)
        .set_kms_key_id(kms_key)
}

/// Those that become otherwise. Nothing is left out by `..`.
pub(super) fn modify(call: ModifyDBInstanceFluentBuilder, change: &Settings) -> ModifyDBInstanceFluentBuilder {
    let Settings {
        engine_version,
        auto_minor_version_upgrade,
        instance_class,
        allocated_gib,
        storage_type,
        backup_retention_days,
        deletion_protection,
        security_groups,
        subnet_group,
        // RDS encrypts an instance at its birth, with that key for good.
        kms_key: _,
    } = change.clone();
    call.set_engine_version(engine_version)
        .set_auto_minor_version_upgrade(auto_minor_version_upgrade)
        .set_db_instance_class(instance_class)
        .set_allocated_storage(allocated_gib.map(whole))
        .set_storage_type(storage_type)
        .set_backup_retention_period(backup_retention_days.map(whole))
        .set_deletion_protection(deletion_protection)
        .set_vpc_security_group_ids(security_groups.map(listed))
        .set_db_subnet_group_name(subnet_group)
}

/// Whether RDS offers them.
///
/// Source: RDS user guide, "Amazon RDS DB instance storage"; of provisioned IOPS it takes no size without their number, at a birth or later.
pub(super) fn offers(settings: &Settings) -> Result<(), String> {
    match settings.storage_type.as_deref() {
        Some(kind @ ("io1" | "io2")) => Err(format!(
            "spec.size: RDS takes a size for storage of the type {kind} only with a number of IOPS, which the spec has no word for: change the \
             storage by hand, or have it as gp3 or gp2"
        )),
        _ => Ok(()),
    }
}

fn listed(groups: BTreeSet<String>) -> Vec<String> {
    groups.into_iter().collect()
}

pub(super) fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn number(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok())
}

/// RDS speaks 32-bit integers; every number of ours is bounded far below.
fn whole(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
