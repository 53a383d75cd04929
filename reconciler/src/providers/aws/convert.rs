//! From the SDK's types to ours.

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{DbInstance, DbSnapshot, PendingModifiedValues};
use jiff::Timestamp;

use super::marks;
use super::states::state;
use crate::providers::model::{Endpoint, Instance, Snapshot, SnapshotKind};
use crate::providers::settings::Settings;

/// An instance; one without an identifier is nothing that can be spoken of, and RDS sends none.
pub fn instance(from: &DbInstance) -> Option<Instance> {
    let tags = from.tag_list().iter();
    let tags =
        tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect();
    Some(Instance {
        identifier: from.db_instance_identifier()?.to_owned(),
        resource_id: owned(from.dbi_resource_id()),
        resource_name: owned(from.db_instance_arn()),
        status: state(from.db_instance_status().unwrap_or("unknown")),
        endpoint: from.endpoint().and_then(|endpoint| {
            Some(Endpoint { host: endpoint.address()?.to_owned(), port: u16::try_from(endpoint.port()?).ok()? })
        }),
        running: running(from),
        pending: from.pending_modified_values().map(pending).unwrap_or_default(),
        backup_window: owned(from.preferred_backup_window()),
        master_user: owned(from.master_username()),
        authority: owned(from.ca_certificate_identifier()),
        marks: marks::read(&tags),
        tags,
    })
}

fn running(from: &DbInstance) -> Settings {
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

fn pending(from: &PendingModifiedValues) -> Settings {
    Settings {
        engine_version: owned(from.engine_version()),
        instance_class: owned(from.db_instance_class()),
        allocated_gib: number(from.allocated_storage()),
        storage_type: owned(from.storage_type()),
        backup_retention_days: number(from.backup_retention_period()),
        ..Settings::default()
    }
}

/// A snapshot; as with instances, RDS sends none without an identifier.
pub fn snapshot(from: &DbSnapshot) -> Option<Snapshot> {
    Some(Snapshot {
        identifier: from.db_snapshot_identifier()?.to_owned(),
        kind: if from.snapshot_type() == Some("automated") { SnapshotKind::Automated } else { SnapshotKind::Manual },
        status: from.status().unwrap_or("unknown").to_owned(),
        created: from.snapshot_create_time().and_then(time),
        resource_id: owned(from.dbi_resource_id()),
    })
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn number(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok())
}

fn time(value: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(value.secs()).ok()
}
