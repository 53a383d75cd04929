//! From the SDK's types to ours.

use aws_sdk_rds::primitives::{DateTime, DateTimeFormat};
use aws_sdk_rds::types::{DbInstance, DbSnapshot};

use crate::providers::{Endpoint, Instance, InstanceState, Snapshot, SnapshotKind};

/// An instance without an identifier is nothing that can be spoken of; RDS sends none.
pub(super) fn instance(from: &DbInstance) -> Option<Instance> {
    let pending = from.pending_modified_values();
    Some(Instance {
        identifier: from.db_instance_identifier()?.to_owned(),
        resource_id: owned(from.dbi_resource_id()),
        arn: owned(from.db_instance_arn()),
        status: InstanceState::new(from.db_instance_status().unwrap_or("unknown")),
        endpoint: from.endpoint().and_then(|endpoint| {
            Some(Endpoint { host: endpoint.address()?.to_owned(), port: u16::try_from(endpoint.port()?).ok()? })
        }),
        engine_version: owned(from.engine_version()),
        allocated_gib: number(from.allocated_storage()),
        pending_allocated_gib: number(pending.and_then(aws_sdk_rds::types::PendingModifiedValues::allocated_storage)),
        instance_class: owned(from.db_instance_class()),
        pending_instance_class: owned(pending.and_then(|p| p.db_instance_class())),
        pending_engine_version: owned(pending.and_then(|p| p.engine_version())),
        auto_minor_version_upgrade: from.auto_minor_version_upgrade().unwrap_or(false),
        backup_retention_days: number(from.backup_retention_period()),
        pending_backup_retention_days: number(
            pending.and_then(aws_sdk_rds::types::PendingModifiedValues::backup_retention_period),
        ),
        backup_window: owned(from.preferred_backup_window()),
        deletion_protection: from.deletion_protection().unwrap_or(false),
        tags: from
            .tag_list()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
            .collect(),
    })
}

pub(super) fn snapshot(from: &DbSnapshot) -> Option<Snapshot> {
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

fn time(value: &DateTime) -> Option<String> {
    value.fmt(DateTimeFormat::DateTime).ok()
}
