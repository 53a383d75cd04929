//! RestoreDBInstanceFromDBSnapshot.

use jiff::Timestamp;

use super::storage::{self, Storage};
use super::{create, elsewhere, fields, parameter_groups, settings};
use crate::account::Account;
use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::params::Params;
use crate::state::{
    Change, Insights, Instance, Monitoring, Ordered, PendingMaintenance, Running, SnapshotKind, State, Tags,
    default_group,
};

/// A new instance with the data, users and passwords of a snapshot.
pub fn restore_instance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    elsewhere::refuse(params)?;
    let id = fields::identifier(params, "DBInstanceIdentifier", 63)?;
    let snapshot_id = account.id_of("snapshot", params.required("DBSnapshotIdentifier")?);
    let found = state.snapshots.get(&snapshot_id).cloned();
    let snapshot = found.ok_or_else(|| ApiError::snapshot_not_found(&snapshot_id))?;
    if !snapshot.available() {
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
    if params.text("DBName").is_some() {
        return Err(ApiError::invalid_value("DBName must be null when Restoring for this Engine."));
    }
    let source = snapshot.source;
    let version = source.engine_version;
    // The size comes with the data; the type does not.
    let volume = Storage::parse(params, Some(source.allocated_storage))?;
    if volume.size != source.allocated_storage {
        storage::check_growth(source.allocated_storage, volume.size)?;
    }
    let tags = fields::tags(params)?;
    let lifecycle = params.text("EngineLifecycleSupport").unwrap_or(create::EXTENDED_SUPPORT);
    fields::check_lifecycle(lifecycle, version, now)?;
    let mut instance = Instance {
        id,
        resource_id: fresh.resource_id(),
        class: params.text("DBInstanceClass").map_or(Ok(source.class.clone()), |text| fields::class(text, version))?,
        allocated_storage: volume.size,
        storage_type: volume.kind,
        iops: volume.iops,
        storage_throughput: volume.throughput,
        max_allocated_storage: None,
        created_at: now,
        backup_retention: fields::backup_retention(params)?.unwrap_or(source.backup_retention),
        // Without tags in the request, those that the source had when the snapshot was made [RDS User Guide, "Tagging"].
        tags: if tags.is_empty() { source.tags.clone() } else { tags },
        lifecycle_support: lifecycle.to_owned(),
        phase: create::creating(Some(snapshot_id), now),
        // Nothing of this is inherited.
        backup_window: create::DEFAULT_BACKUP_WINDOW.to_owned(),
        maintenance_window: create::DEFAULT_MAINTENANCE_WINDOW.to_owned(),
        availability_zone: account.first_zone(),
        multi_az: false,
        publicly_accessible: false,
        auto_minor_version_upgrade: true,
        copy_tags_to_snapshot: false,
        deletion_protection: false,
        iam_authentication: false,
        subnet_group: None,
        security_groups: Vec::new(),
        parameter_group: parameter_groups::named(account, state, params, version)?
            .unwrap_or_else(|| default_group(version)),
        running: Running::default(),
        ca_certificate: create::DEFAULT_CA.to_owned(),
        log_exports: Vec::new(),
        monitoring: Monitoring::default(),
        insights: Insights::default(),
        dedicated_log_volume: false,
        backup_tags: Tags::new(),
        pending: Change::default(),
        maintenance: PendingMaintenance::new(),
        storage_changed_at: None,
        restorable_since: None,
        delete_automated_backups: true,
        ordered: Ordered::default(),
        failed_upgrade: None,
        // Of the source: the engine, the master user and its password, the database's name, the encryption.
        ..source
    };
    settings::at_once(account, params, &mut instance)?;
    settings::at_birth(account, params, &mut instance)?;
    create::insert(account, state, instance, fresh)
}
