//! CreateDBInstance.

use jiff::Timestamp;

use super::storage::Storage;
use super::{elsewhere, fields, observability, parameter_groups, settings};
use crate::account::Account;
use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::params::Params;
use crate::state::{
    Activity, Change, Insights, Instance, Monitoring, Ordered, PendingMaintenance, Phase, PointInTime, Running, State,
    Tags, default_group,
};

pub(super) const DEFAULT_BACKUP_WINDOW: &str = "03:00-03:30";
pub(super) const DEFAULT_MAINTENANCE_WINDOW: &str = "sun:05:00-sun:05:30";
pub(super) const DEFAULT_CA: &str = "rds-ca-rsa2048-g1";

/// Accepts a new instance.
pub fn create_instance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    let instance = parse(account, state, params, now, fresh)?;
    insert(account, state, instance, fresh)
}

/// Adds an instance that has been checked, with a port of its own.
pub(super) fn insert(
    account: &Account,
    state: &mut State,
    mut instance: Instance,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    if name_is_taken(state, &instance.id) {
        return Err(ApiError::instance_exists());
    }
    if account.quotas.instances.is_some_and(|quota| state.instances.len() >= quota) {
        return Err(ApiError::instance_quota());
    }
    instance.load_parameters(&state.parameter_groups);
    instance.port = fresh.port(&ports(state), None)?;
    state.instances.insert(instance.id.clone(), instance.clone());
    Ok(instance)
}

/// Whether an instance has this identifier, or is being given it.
pub(super) fn name_is_taken(state: &State, id: &str) -> bool {
    let given = |instance: &Instance| match &instance.phase.activity {
        Activity::Modifying { change } => change.new_id.as_deref() == Some(id),
        _ => false,
    };
    state.instances.contains_key(id) || state.instances.values().any(given)
}

/// The ports that instances have, or are being given.
pub(crate) fn ports(state: &State) -> Vec<u16> {
    let given = |instance: &Instance| match &instance.phase.activity {
        Activity::Modifying { change } => change.port,
        _ => None,
    };
    state.instances.values().flat_map(|instance| [Some(instance.port), given(instance)]).flatten().collect()
}

fn parse(
    account: &Account,
    state: &State,
    params: &Params,
    now: Timestamp,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    elsewhere::refuse(params)?;
    let id = fields::identifier(params, "DBInstanceIdentifier", 63)?;
    let class = params.required("DBInstanceClass")?;
    fields::postgres_only(params.required("Engine")?)?;
    let version = fields::engine_version(params)?;
    let storage = Storage::parse(params, None)?;
    let master_username = fields::master_username(params)?;
    let master_verifier = fields::master_verifier(params.required("MasterUserPassword")?, fresh)?;
    let lifecycle = fields::lifecycle_support(params)?.unwrap_or(fields::EXTENDED_SUPPORT);
    fields::check_lifecycle(lifecycle, version, now)?;
    let encrypted = params.boolean("StorageEncrypted")?.unwrap_or(false);
    let mut instance = Instance {
        id,
        resource_id: fresh.resource_id(),
        class: fields::class(class, version)?,
        engine_version: version,
        master_username,
        master_verifier,
        db_name: fields::db_name(params)?,
        allocated_storage: storage.size,
        max_allocated_storage: None,
        storage_type: storage.kind,
        iops: storage.iops,
        storage_throughput: storage.throughput,
        storage_encrypted: encrypted,
        kms_key_id: kms_key(account, params, encrypted)?,
        port: 0,
        created_at: now,
        backup_retention: fields::backup_retention(params)?.unwrap_or(1),
        backup_window: DEFAULT_BACKUP_WINDOW.to_owned(),
        maintenance_window: DEFAULT_MAINTENANCE_WINDOW.to_owned(),
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
        ca_certificate: DEFAULT_CA.to_owned(),
        lifecycle_support: lifecycle.to_owned(),
        log_exports: Vec::new(),
        monitoring: observability::monitoring(params, &Monitoring::default())?,
        insights: Insights::default(),
        dedicated_log_volume: false,
        tags: fields::tags(params)?,
        backup_tags: Tags::new(),
        pending: Change::default(),
        maintenance: PendingMaintenance::new(),
        storage_changed_at: None,
        restorable_since: None,
        backed_up_at: None,
        restored_at: None,
        replicas: Vec::new(),
        replica_source: None,
        delete_automated_backups: true,
        ordered: Ordered::default(),
        failed_upgrade: None,
        phase: creating(None, None, now),
    };
    settings::at_once(account, params, &mut instance)?;
    settings::at_birth(account, params, &mut instance)?;
    Ok(instance)
}

/// The phase of an instance that is being made.
pub(super) fn creating(from_snapshot: Option<String>, point_in_time: Option<PointInTime>, now: Timestamp) -> Phase {
    Phase::begin(Activity::Creating { from_snapshot, point_in_time }, now)
}

/// The key that encrypts the storage: the one asked for, or the account's default.
fn kms_key(account: &Account, params: &Params, encrypted: bool) -> Result<Option<String>, ApiError> {
    match (params.text("KmsKeyId"), encrypted) {
        (Some(_), false) => {
            Err(ApiError::invalid_combination("KmsKeyId cannot be specified when StorageEncrypted is false"))
        }
        (Some(key), true) => Ok(Some(account.key_arn(key))),
        (None, true) => Ok(Some(account.key_arn("aws-rds-default"))),
        (None, false) => Ok(None),
    }
}
