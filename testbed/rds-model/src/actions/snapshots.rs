//! CreateDBSnapshot, DescribeDBSnapshots, ModifyDBSnapshot and DeleteDBSnapshot.

use jiff::Timestamp;

use super::{fields, filters};
use crate::abilities::Abilities;
use crate::account::Account;
use crate::backups;
use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::params::Params;
use crate::state::{Activity, Category, Instance, Phase, Snapshot, SnapshotKind, SnapshotStatus, Source, State, Tags};

const FILTERS: [&str; 5] = ["db-instance-id", "db-snapshot-id", "dbi-resource-id", "engine", "snapshot-type"];

/// Begins a snapshot of a running instance.
pub fn create_snapshot(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
) -> Result<Snapshot, ApiError> {
    let snapshot_id = fields::identifier(params, "DBSnapshotIdentifier", 255)?;
    let id = fields::instance_id(params)?;
    let tags = fields::tags(params)?;
    let mut instance = state.instances.get(&id).ok_or_else(|| ApiError::instance_not_found(&id))?.clone();
    if state.snapshots.contains_key(&snapshot_id) {
        return Err(ApiError::snapshot_exists(&snapshot_id));
    }
    if !Abilities::of(&instance, account.status(&instance, now)).iter().all(|can| can.snapshot) {
        return Err(not_available(&id));
    }
    let tags = Some(tags).filter(|tags| !tags.is_empty());
    let snapshot = begin_manual(account, state, &instance, &snapshot_id, tags, now)?.clone();
    instance.phase = Phase::begin(Activity::BackingUp { snapshot: snapshot_id }, now);
    state.instances.insert(id, instance);
    Ok(snapshot)
}

/// The refusal of a snapshot of an instance that is busy or broken.
pub(super) fn not_available(id: &str) -> ApiError {
    ApiError::invalid_instance_state(format!(
        "Cannot create a snapshot because the database instance {id} is not currently in the available state."
    ))
}

/// Adds a manual snapshot that is being taken, whoever asked for it: all count. It has the tags of the request or, where there are none and
/// the instance says so, the instance's: never both [RDS User Guide, "Copying tags to DB instance snapshots"].
pub(super) fn begin_manual<'a>(
    account: &Account,
    state: &'a mut State,
    source: &Instance,
    id: &str,
    tags: Option<Tags>,
    now: Timestamp,
) -> Result<&'a mut Snapshot, ApiError> {
    if state.snapshots.contains_key(id) {
        return Err(ApiError::snapshot_exists(id));
    }
    let manual = state.snapshots.values().filter(|snapshot| snapshot.kind == SnapshotKind::Manual);
    if manual.count() >= account.quotas.manual_snapshots {
        return Err(ApiError::snapshot_quota());
    }
    let copied = || if source.copy_tags_to_snapshot { source.tags.clone() } else { Tags::new() };
    let snapshot = Snapshot {
        id: id.to_owned(),
        kind: SnapshotKind::Manual,
        created_at: now,
        status: SnapshotStatus::Creating,
        completed_at: None,
        copy: None,
        tags: tags.unwrap_or_else(copied),
        source: source.clone(),
    };
    Ok(state.snapshots.entry(id.to_owned()).insert_entry(snapshot).into_mut())
}

/// All snapshots, or those of an instance, of a kind, or with a name.
pub fn describe_snapshots<'a>(
    account: &Account,
    state: &'a State,
    params: &Params,
    now: Timestamp,
) -> Result<Page<&'a Snapshot>, ApiError> {
    let named = |kind, name| params.text(name).map(|text| account.id_of(kind, text));
    let (snapshot_id, instance_id) = (named("snapshot", "DBSnapshotIdentifier"), named("db", "DBInstanceIdentifier"));
    let resource_id = params.text("DbiResourceId");
    let kind = params.text("SnapshotType");
    if let Some(other) = kind.filter(|kind| !["automated", "manual", "shared", "public", "awsbackup"].contains(kind)) {
        return Err(ApiError::invalid_value(format!("Invalid snapshot type: {other}")));
    }
    let filters = filters::parse(params, &FILTERS)?;
    if let Some(id) = &snapshot_id
        && !state.snapshots.contains_key(id)
    {
        return Err(ApiError::snapshot_not_found(id));
    }
    let accepted = state.snapshots.values().filter(|snapshot| {
        snapshot_id.as_ref().is_none_or(|id| *id == snapshot.id)
            && instance_id.as_ref().is_none_or(|id| *id == snapshot.source.id)
            && resource_id.is_none_or(|id| id == snapshot.source.resource_id)
            && kind.is_none_or(|kind| kind == snapshot.kind.name())
            && filters::all(&filters, |name, value| accepts(account, snapshot, name, value))
            && !outlived(account, state, snapshot, now)
    });
    paginate(accepted, |snapshot| snapshot.id.clone(), params)
}

/// Whether it is an automated one of a deleted instance whose retention is over.
fn outlived(account: &Account, state: &State, snapshot: &Snapshot, now: Timestamp) -> bool {
    let retained = state.retained.get(&snapshot.source.resource_id);
    snapshot.kind == SnapshotKind::Automated
        && retained.is_some_and(|backup| account.times(&backup.source).expired(backup, now))
}

fn accepts(account: &Account, snapshot: &Snapshot, name: &str, value: &str) -> bool {
    match name {
        "db-snapshot-id" => account.id_of("snapshot", value) == snapshot.id,
        "db-instance-id" => account.id_of("db", value) == snapshot.source.id,
        "dbi-resource-id" => value == snapshot.source.resource_id,
        "snapshot-type" => value == snapshot.kind.name(),
        _ => value == "postgres",
    }
}

/// Another engine version for a snapshot. Who names none, or the one it has, changes nothing.
pub fn modify_snapshot<'a>(state: &'a State, params: &Params) -> Result<&'a Snapshot, ApiError> {
    let id = params.required("DBSnapshotIdentifier")?.to_ascii_lowercase();
    let snapshot = state.snapshots.get(&id).ok_or_else(|| ApiError::snapshot_not_found(&id))?;
    let present = snapshot.source.engine_version.to_string();
    match params.text("EngineVersion") {
        Some(version) if version != present => Err(ApiError::invalid_combination(format!(
            "This local server cannot upgrade the snapshot {id} from {present} to {version}"
        ))),
        _ => Ok(snapshot),
    }
}

/// Removes a manual snapshot, which is the answer: what it holds is the caller's to remove.
pub fn delete_snapshot(state: &mut State, params: &Params, now: Timestamp) -> Result<Snapshot, ApiError> {
    let id = params.required("DBSnapshotIdentifier")?.to_ascii_lowercase();
    let snapshot = state.snapshots.get(&id).ok_or_else(|| ApiError::snapshot_not_found(&id))?.clone();
    if snapshot.status == SnapshotStatus::Creating || snapshot.kind != SnapshotKind::Manual {
        return Err(ApiError::invalid_snapshot_state(format!(
            "Cannot delete the snapshot {id}: it is not an available manual snapshot."
        )));
    }
    if backups::in_use(state, &id) {
        return Err(ApiError::invalid_snapshot_state(format!(
            "Cannot delete the snapshot {id}: it is being restored or copied."
        )));
    }
    state.snapshots.remove(&id);
    state.record(Source::DbSnapshot(id), Category::Deletion, "Deleted user snapshot", now);
    Ok(snapshot)
}
