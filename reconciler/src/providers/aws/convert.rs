//! From the SDK's types to ours.

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{DbInstance, DbSnapshot};
use jiff::Timestamp;

use super::marks;
use super::settings::{self, owned};
use super::states::state;
use crate::providers::model::{Endpoint, Instance, Snapshot, SnapshotKind};

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
        running: settings::running(from),
        pending: from.pending_modified_values().map(settings::pending).unwrap_or_default(),
        pending_else: from.pending_modified_values().map(settings::pending_else).unwrap_or_default(),
        master_user: owned(from.master_username()),
        authority: owned(from.ca_certificate_identifier()),
        marks: marks::read(&tags),
        tags,
    })
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

fn time(value: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(value.secs()).ok()
}
