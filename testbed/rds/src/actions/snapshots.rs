//! CreateDBSnapshot, DescribeDBSnapshots and DeleteDBSnapshot.

use super::{Answer, Call, fields, render};
use crate::model::{Activity, Phase, Snapshot, SnapshotKind, Tags};
use crate::wire::page::paginate;
use crate::wire::{ApiError, Node};

/// Manual snapshots an account may have in a region [RDS User Guide, "Quotas"].
const QUOTA: usize = 100;

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
            let instance = state.instances.get_mut(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
            if state.snapshots.contains_key(&snapshot_id) {
                return Err(ApiError::snapshot_exists(&snapshot_id));
            }
            if instance.phase.activity != Activity::Available {
                return Err(ApiError::invalid_instance_state("Database instance is not in available state."));
            }
            let manual = state.snapshots.values().filter(|snapshot| snapshot.kind == SnapshotKind::Manual);
            if manual.count() >= QUOTA {
                return Err(ApiError::snapshot_quota());
            }
            let copied = if instance.copy_tags_to_snapshot { instance.tags.clone() } else { Tags::new() };
            let snapshot = Snapshot {
                id: snapshot_id.clone(),
                kind: SnapshotKind::Manual,
                created_at: call.now,
                available: false,
                tags: copied.into_iter().chain(tags).collect(),
                source: instance.clone(),
            };
            let activity = Activity::BackingUp { snapshot: snapshot_id.clone() };
            instance.phase = Phase::begin(activity, call.now);
            let node = render::snapshot(call, &snapshot);
            let resource_id = instance.resource_id.clone();
            state.snapshots.insert(snapshot_id, snapshot);
            Ok::<_, ApiError>((node, resource_id))
        })
        .await?;
    call.service.attend(&resource_id).await;
    Ok(Some(vec![node]))
}

/// All snapshots, or those of an instance, of a kind, or with a name.
pub(super) async fn describe(call: &Call<'_>) -> Answer {
    let params = call.params;
    let lower = |name| params.text(name).map(str::to_ascii_lowercase);
    let (snapshot_id, instance_id) = (lower("DBSnapshotIdentifier"), lower("DBInstanceIdentifier"));
    let resource_id = params.text("DbiResourceId");
    let kind = params.text("SnapshotType");
    let filters = params.filters()?;
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
                    && filters.iter().all(|(name, values)| accepts(snapshot, name, values))
            });
            let page = paginate(accepted, |snapshot| snapshot.id.clone(), params)?;
            let list = Node::list("DBSnapshots", &page.items, |snapshot| render::snapshot(call, snapshot));
            Ok(Some(page.marker_node().into_iter().chain([list]).collect()))
        })
        .await
}

fn accepts(snapshot: &Snapshot, name: &str, values: &[String]) -> bool {
    values.iter().any(|value| match name {
        "db-snapshot-id" => *value == snapshot.id,
        "db-instance-id" => *value == snapshot.source.id,
        "dbi-resource-id" => *value == snapshot.source.resource_id,
        "snapshot-type" => value == snapshot.kind.name(),
        "engine" => value == "postgres",
        _ => false,
    })
}

/// Removes a manual snapshot and its data.
pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let id = call.params.required("DBSnapshotIdentifier")?.to_ascii_lowercase();
    let node = call
        .service
        .store
        .update(|state| {
            let snapshot = state.snapshots.get(&id).ok_or_else(|| ApiError::snapshot_not_found(&id))?;
            if !snapshot.available || snapshot.kind != SnapshotKind::Manual {
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
            let node = render::snapshot(call, snapshot);
            state.snapshots.remove(&id);
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
