//! RestoreDBInstanceFromDBSnapshot.

use super::storage::{self, Storage};
use super::{Answer, Call, create, fields};
use crate::model::{Change, Instance, SnapshotKind};
use crate::wire::ApiError;

/// A new instance with the data, users and passwords of a snapshot.
pub(super) async fn restore(call: &Call<'_>) -> Answer {
    let params = call.params;
    let id = fields::identifier(params, "DBInstanceIdentifier", 63)?;
    let snapshot_id = params.required("DBSnapshotIdentifier")?.to_ascii_lowercase();
    let snapshot = call
        .service
        .store
        .read(|state| state.snapshots.get(&snapshot_id).cloned())
        .await
        .ok_or_else(|| ApiError::snapshot_not_found(&snapshot_id))?;
    if !snapshot.available {
        return Err(ApiError::invalid_snapshot_state(format!("The snapshot {snapshot_id} is not available.")));
    }
    if snapshot.kind == SnapshotKind::Automated {
        return Err(ApiError::invalid_snapshot_state(format!(
            "The snapshot {snapshot_id} cannot be restored: automated snapshots hold no data on this local server"
        )));
    }
    if let Some(engine) = params.text("Engine") {
        fields::postgres_only(engine)?;
    }
    let source = snapshot.source;
    let version = source.engine_version;
    let storage = match params.text("AllocatedStorage") {
        None => None,
        Some(_) => Some(Storage::parse(params, None)?),
    };
    if let Some(storage) = &storage
        && storage.size != source.allocated_storage
    {
        storage::check_growth(source.allocated_storage, storage.size)?;
    }
    let volume = storage.unwrap_or(Storage {
        size: source.allocated_storage,
        kind: source.storage_type.clone(),
        iops: source.iops,
        throughput: source.storage_throughput,
    });
    let lifecycle = params.text("EngineLifecycleSupport").unwrap_or(create::EXTENDED_SUPPORT);
    fields::check_lifecycle(lifecycle, version, call.now)?;
    let mut instance = Instance {
        id,
        resource_id: create::resource_id(),
        class: params.text("DBInstanceClass").map_or(Ok(source.class.clone()), |text| fields::class(text, version))?,
        allocated_storage: volume.size,
        storage_type: volume.kind,
        iops: volume.iops,
        storage_throughput: volume.throughput,
        max_allocated_storage: None,
        created_at: call.now,
        backup_retention: fields::backup_retention(params)?.unwrap_or(source.backup_retention),
        // Neither is inherited from the snapshot.
        multi_az: false,
        deletion_protection: false,
        security_groups: Vec::new(),
        subnet_group: None,
        parameter_group: format!("default.{}", version.family()),
        ca_certificate: create::DEFAULT_CA.to_owned(),
        lifecycle_support: lifecycle.to_owned(),
        log_exports: Vec::new(),
        tags: fields::tags(params)?,
        pending: Change::default(),
        storage_changed_at: None,
        delete_automated_backups: true,
        forced_status: None,
        phase: create::creating(Some(snapshot_id), call.now),
        ..source
    };
    create::settings(params, &mut instance)?;
    create::insert(call, instance).await
}
