//! CreateDBSnapshot, DescribeDBSnapshots, ModifyDBSnapshot and DeleteDBSnapshot.

use super::{Answer, Call, fields, filters, render};
use crate::abilities::Abilities;
use crate::model::{Activity, Category, Instance, Phase, Snapshot, SnapshotKind, SnapshotStatus, Source, State, Tags};
use crate::wire::page::paginate;
use crate::wire::{ApiError, Node};

const FILTERS: [&str; 5] = ["db-instance-id", "db-snapshot-id", "dbi-resource-id", "engine", "snapshot-type"];

/// Begins a snapshot of a running instance.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    let params = call.params;
    let snapshot_id = fields::identifier(params, "DBSnapshotIdentifier", 255)?;
    let id = fields::instance_id(params)?;
    let tags = fields::tags(params)?;
    let (node, resource_id) = call
        .service
        .store
        .update(|state| {
            let instance = state.instances.get(&id).ok_or_else(|| ApiError::instance_not_found(&id))?.clone();
            if state.snapshots.contains_key(&snapshot_id) {
                return Err(ApiError::snapshot_exists(&snapshot_id));
            }
            let shown = call.service.times.status(&instance, call.now);
            if !Abilities::of(&instance, shown).iter().all(|can| can.snapshot) {
                return Err(not_available(&id));
            }
            let snapshot =
                begin_manual(call, state, &instance, &snapshot_id, Some(tags).filter(|tags| !tags.is_empty()))?;
            let node = render::snapshot(call, snapshot);
            if let Some(instance) = state.instances.get_mut(&id) {
                instance.phase = Phase::begin(Activity::BackingUp { snapshot: snapshot_id }, call.now);
            }
            Ok::<_, ApiError>((node, instance.resource_id))
        })
        .await?;
    call.service.attend(&resource_id).await;
    Ok(Some(vec![node]))
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
    call: &Call<'_>,
    state: &'a mut State,
    source: &Instance,
    id: &str,
    tags: Option<Tags>,
) -> Result<&'a Snapshot, ApiError> {
    if state.snapshots.contains_key(id) {
        return Err(ApiError::snapshot_exists(id));
    }
    let manual = state.snapshots.values().filter(|snapshot| snapshot.kind == SnapshotKind::Manual);
    if manual.count() >= call.service.quotas.manual_snapshots {
        return Err(ApiError::snapshot_quota());
    }
    let copied = || if source.copy_tags_to_snapshot { source.tags.clone() } else { Tags::new() };
    let snapshot = Snapshot {
        id: id.to_owned(),
        kind: SnapshotKind::Manual,
        created_at: call.now,
        status: SnapshotStatus::Creating,
        tags: tags.unwrap_or_else(copied),
        source: source.clone(),
    };
    Ok(state.snapshots.entry(id.to_owned()).insert_entry(snapshot).into_mut())
}

/// All snapshots, or those of an instance, of a kind, or with a name.
pub(super) async fn describe(call: &Call<'_>) -> Answer {
    let params = call.params;
    let named = |kind, name| params.text(name).map(|text| call.service.id_of(kind, text));
    let (snapshot_id, instance_id) = (named("snapshot", "DBSnapshotIdentifier"), named("db", "DBInstanceIdentifier"));
    let resource_id = params.text("DbiResourceId");
    let kind = params.text("SnapshotType");
    if let Some(other) = kind.filter(|kind| !["automated", "manual", "shared", "public", "awsbackup"].contains(kind)) {
        return Err(ApiError::invalid_value(format!("Invalid snapshot type: {other}")));
    }
    let filters = filters::parse(params, &FILTERS)?;
    call.service
        .store
        .read(|state| {
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
                    && filters::all(&filters, |name, value| accepts(call, snapshot, name, value))
                    && !outlived(call, state, snapshot)
            });
            let page = paginate(accepted, |snapshot| snapshot.id.clone(), params)?;
            let list = Node::list("DBSnapshots", &page.items, |snapshot| render::snapshot(call, snapshot));
            Ok(Some(page.marker_node().into_iter().chain([list]).collect()))
        })
        .await
}

/// Whether it is an automated one of a deleted instance whose retention is over.
fn outlived(call: &Call<'_>, state: &State, snapshot: &Snapshot) -> bool {
    let retained = state.retained.get(&snapshot.source.resource_id);
    snapshot.kind == SnapshotKind::Automated
        && retained.is_some_and(|backup| call.service.times.expired(backup, call.now))
}

fn accepts(call: &Call<'_>, snapshot: &Snapshot, name: &str, value: &str) -> bool {
    match name {
        "db-snapshot-id" => call.service.id_of("snapshot", value) == snapshot.id,
        "db-instance-id" => call.service.id_of("db", value) == snapshot.source.id,
        "dbi-resource-id" => value == snapshot.source.resource_id,
        "snapshot-type" => value == snapshot.kind.name(),
        _ => value == "postgres",
    }
}

/// Another engine version for a snapshot. Who names none, or the one it has, changes nothing.
pub(super) async fn modify(call: &Call<'_>) -> Answer {
    let id = call.params.required("DBSnapshotIdentifier")?.to_ascii_lowercase();
    call.service
        .store
        .read(|state| {
            let snapshot = state.snapshots.get(&id).ok_or_else(|| ApiError::snapshot_not_found(&id))?;
            let present = snapshot.source.engine_version.to_string();
            match call.params.text("EngineVersion") {
                Some(version) if version != present => Err(ApiError::invalid_combination(format!(
                    "This local server cannot upgrade the snapshot {id} from {present} to {version}"
                ))),
                _ => Ok(Some(vec![render::snapshot(call, snapshot)])),
            }
        })
        .await
}

/// Removes a manual snapshot and its data.
pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let id = call.params.required("DBSnapshotIdentifier")?.to_ascii_lowercase();
    let node = call
        .service
        .store
        .update(|state| {
            let snapshot = state.snapshots.get(&id).ok_or_else(|| ApiError::snapshot_not_found(&id))?;
            if snapshot.status == SnapshotStatus::Creating || snapshot.kind != SnapshotKind::Manual {
                return Err(ApiError::invalid_snapshot_state(format!(
                    "Cannot delete the snapshot {id}: it is not an available manual snapshot."
                )));
            }
            let restoring = state.instances.values().any(|instance| {
                !instance.phase.worked
                    && instance.phase.activity == Activity::Creating { from_snapshot: Some(id.clone()) }
            });
            if restoring {
                return Err(ApiError::invalid_snapshot_state(format!(
                    "Cannot delete the snapshot {id}: an instance is being restored from it."
                )));
            }
            let node = render::deleted_snapshot(call, snapshot);
            state.snapshots.remove(&id);
            state.record(Source::DbSnapshot(id.clone()), Category::Deletion, "Deleted user snapshot", call.now);
            Ok::<_, ApiError>(node)
        })
        .await?;
    let data = call.service.env.layout.snapshot(&id);
    match std::fs::remove_dir_all(&data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, path = %data.display(), "the data of a deleted snapshot are left over");
        }
        _ => {}
    }
    Ok(Some(vec![node]))
}
