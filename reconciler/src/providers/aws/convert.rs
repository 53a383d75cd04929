//! From the SDK's types to ours.

use std::collections::BTreeMap;

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{
    AccountQuota, DbInstance, DbInstanceAutomatedBackup, DbParameterGroupStatus, DbSnapshot,
    ResourcePendingMaintenanceActions, Tag,
};
use jiff::Timestamp;
use shared::rules::Engine;

use super::marks;
use super::settings::{self, number, owned};
use super::states::state;
use crate::providers::model::{Backup, Endpoint, Instance, Maintenance, Quota, Snapshot, SnapshotKind};
use crate::providers::parameters::Applied;

/// Characters of a description that are told.
const LONGEST: usize = 200;

/// An instance; one without an identifier is nothing that can be spoken of, and RDS sends none.
pub fn instance(from: &DbInstance) -> Option<Instance> {
    let tags = tags(from.tag_list());
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
        parameters: from.db_parameter_groups().first().map_or(Applied::Whole, applied),
        pending_else: from.pending_modified_values().map(settings::pending_else).unwrap_or_default(),
        replicas: from.read_replica_db_instance_identifiers().to_vec(),
        master_user: owned(from.master_username()),
        restorable: from.latest_restorable_time().and_then(time),
        authority: owned(from.ca_certificate_identifier()),
        marks: marks::read(&tags),
        tags,
    })
}

/// What is pending for an instance, with its name; `None` for what is no instance.
///
/// A required upgrade of the engine is applied with any change that is applied at once [RDS User Guide, "Using the schedule modifications
/// setting"].
pub fn maintenance(from: &ResourcePendingMaintenanceActions) -> Option<(String, Vec<Maintenance>)> {
    let (_, name) = from.resource_identifier()?.split_once(":db:")?;
    let pending = from.pending_maintenance_action_details().iter().filter_map(|pending| {
        let (action, at) = (pending.action()?, pending.current_apply_date().and_then(time));
        let what = pending.description().map_or_else(|| action.to_owned(), |words| format!("{action} ({words})"));
        let what = what.chars().take(LONGEST).collect();
        Some(Maintenance { what, at, with_changes: action == "db-upgrade" && at.is_some() })
    });
    Some((name.to_owned(), pending.collect()))
}

/// A snapshot; as with instances, RDS sends none without an identifier.
pub fn snapshot(from: &DbSnapshot) -> Option<Snapshot> {
    Some(Snapshot {
        identifier: from.db_snapshot_identifier()?.to_owned(),
        kind: if from.snapshot_type() == Some("automated") { SnapshotKind::Automated } else { SnapshotKind::Manual },
        status: from.status().unwrap_or("unknown").to_owned(),
        created: from.snapshot_create_time().and_then(time),
        resource_id: owned(from.dbi_resource_id()),
        marks: marks::read(&tags(from.tag_list())),
    })
}

/// A snapshot as what can be restored.
pub fn whole(from: &DbSnapshot) -> Backup {
    let status = from.status().unwrap_or("unknown");
    Backup {
        resource_id: owned(from.dbi_resource_id()),
        engine: from.engine().and_then(engine),
        engine_version: owned(from.engine_version()),
        master_user: owned(from.master_username()),
        allocated_gib: number(from.allocated_storage()),
        status: status.to_owned(),
        complete: status == "available",
        reaches: None,
        marks: marks::read(&tags(from.tag_list())),
    }
}

/// Automated backups as what can be restored. Those of an instance that is gone are `retained`; the first ones of a new one are `creating`.
///
/// Source: RDS API, DBInstanceAutomatedBackup, `Status`.
pub fn automated(from: &DbInstanceAutomatedBackup) -> Backup {
    let window = from.restore_window();
    let reaches = window.and_then(|window| Some((time(window.earliest_time()?)?, time(window.latest_time()?)?)));
    Backup {
        resource_id: owned(from.dbi_resource_id()),
        engine: from.engine().and_then(engine),
        engine_version: owned(from.engine_version()),
        master_user: owned(from.master_username()),
        allocated_gib: number(from.allocated_storage()),
        status: from.status().unwrap_or("unknown").to_owned(),
        complete: reaches.is_some(),
        reaches,
        marks: marks::read(&tags(from.tag_list())),
    }
}

/// The quota of manual snapshots.
///
/// Source: RDS API, AccountQuota.
pub fn snapshot_quota(quotas: &[AccountQuota]) -> Option<Quota> {
    let found = quotas.iter().find(|quota| quota.account_quota_name() == Some("ManualSnapshots"))?;
    let count = |number: Option<i64>| u32::try_from(number?).ok();
    Some(Quota { used: count(found.used())?, most: count(found.max())? })
}

/// What a status says of an instance's group.
///
/// Source: RDS API, DBParameterGroupStatus, `ParameterApplyStatus`.
fn applied(from: &DbParameterGroupStatus) -> Applied {
    match from.parameter_apply_status() {
        Some("applying") => Applied::UnderWay,
        Some("pending-reboot") => Applied::AtRestart,
        Some("failed-to-apply") => Applied::Failed,
        // An upgrade brings the rest; what is not known is no reason to restart anything.
        _ => Applied::Whole,
    }
}

/// RDS's word for an engine.
pub(super) fn engine_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgresql => "postgres",
        Engine::MySql => "mysql",
    }
}

fn engine(word: &str) -> Option<Engine> {
    match word {
        "postgres" => Some(Engine::Postgresql),
        "mysql" => Some(Engine::MySql),
        _ => None,
    }
}

pub(super) fn tags(list: &[Tag]) -> BTreeMap<String, String> {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    list.iter().filter_map(pair).collect()
}

fn time(value: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(value.secs()).ok()
}
