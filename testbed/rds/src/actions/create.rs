//! CreateDBInstance.

use jiff::Timestamp;

use super::storage::Storage;
use super::{Answer, Call, elsewhere, fields, observability, render, settings};
use crate::model::{Activity, Change, Insights, Instance, Monitoring, Ordered, Phase, State, Tags};
use crate::postgres::free_port;
use crate::wire::{ApiError, Node};

pub(super) const DEFAULT_BACKUP_WINDOW: &str = "03:00-03:30";
pub(super) const DEFAULT_MAINTENANCE_WINDOW: &str = "sun:05:00-sun:05:30";
pub(super) const DEFAULT_CA: &str = "rds-ca-rsa2048-g1";
pub(super) const EXTENDED_SUPPORT: &str = "open-source-rds-extended-support";

/// Accepts a new instance; its server is made afterwards.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    let instance = parse(call)?;
    insert(call, instance).await
}

/// Adds an instance that has been checked, with a port of its own.
pub(super) async fn insert(call: &Call<'_>, mut instance: Instance) -> Answer {
    let resource_id = instance.resource_id.clone();
    let node = call
        .service
        .store
        .update(|state| {
            if name_is_taken(state, &instance.id) {
                return Err(ApiError::instance_exists());
            }
            if let Some(quota) = call.service.instance_quota
                && state.instances.len() >= quota
            {
                return Err(ApiError::instance_quota());
            }
            instance.port = free_port(&ports(state), None).map_err(|error| ApiError::internal(&error))?;
            let node = render::instance(call, &instance);
            state.instances.insert(instance.id.clone(), instance);
            Ok(node)
        })
        .await?;
    call.service.attend(&resource_id).await;
    Ok(Some(vec![node]))
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
pub(super) fn ports(state: &State) -> Vec<u16> {
    let given = |instance: &Instance| match &instance.phase.activity {
        Activity::Modifying { change } => change.port,
        _ => None,
    };
    state.instances.values().flat_map(|instance| [Some(instance.port), given(instance)]).flatten().collect()
}

fn parse(call: &Call<'_>) -> Result<Instance, ApiError> {
    let params = call.params;
    elsewhere::refuse(params)?;
    let id = fields::identifier(params, "DBInstanceIdentifier", 63)?;
    let class = params.required("DBInstanceClass")?;
    fields::postgres_only(params.required("Engine")?)?;
    let version = fields::engine_version(params)?;
    let storage = Storage::parse(params, None)?;
    let master_username = fields::master_username(params)?;
    let master_verifier = fields::master_verifier(params.required("MasterUserPassword")?)?;
    let lifecycle = params.text("EngineLifecycleSupport").unwrap_or(EXTENDED_SUPPORT);
    fields::check_lifecycle(lifecycle, version, call.now)?;
    let encrypted = params.boolean("StorageEncrypted")?.unwrap_or(false);
    let mut instance = Instance {
        id,
        resource_id: resource_id(),
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
        kms_key_id: kms_key(call, encrypted)?,
        port: 0,
        created_at: call.now,
        backup_retention: fields::backup_retention(params)?.unwrap_or(1),
        backup_window: DEFAULT_BACKUP_WINDOW.to_owned(),
        maintenance_window: DEFAULT_MAINTENANCE_WINDOW.to_owned(),
        availability_zone: call.service.network.first_zone(),
        multi_az: false,
        publicly_accessible: false,
        auto_minor_version_upgrade: true,
        copy_tags_to_snapshot: false,
        deletion_protection: false,
        iam_authentication: false,
        subnet_group: None,
        security_groups: Vec::new(),
        parameter_group: format!("default.{}", version.family()),
        ca_certificate: DEFAULT_CA.to_owned(),
        lifecycle_support: lifecycle.to_owned(),
        log_exports: Vec::new(),
        monitoring: observability::monitoring(params, &Monitoring::default())?,
        insights: Insights::default(),
        dedicated_log_volume: false,
        tags: fields::tags(params)?,
        backup_tags: Tags::new(),
        pending: Change::default(),
        storage_changed_at: None,
        restorable_since: None,
        delete_automated_backups: true,
        ordered: Ordered::default(),
        phase: creating(None, call.now),
    };
    settings::at_once(call, &mut instance)?;
    settings::at_birth(call, &mut instance)?;
    Ok(instance)
}

/// The phase of an instance that is being made.
pub(super) fn creating(from_snapshot: Option<String>, now: Timestamp) -> Phase {
    Phase::begin(Activity::Creating { from_snapshot }, now)
}

/// The key that encrypts the storage: the one asked for, or the account's default.
fn kms_key(call: &Call<'_>, encrypted: bool) -> Result<Option<String>, ApiError> {
    match (call.params.text("KmsKeyId"), encrypted) {
        (Some(_), false) => {
            Err(ApiError::invalid_combination("KmsKeyId cannot be specified when StorageEncrypted is false"))
        }
        (Some(key), true) => Ok(Some(key_arn(call, key))),
        (None, true) => Ok(Some(key_arn(call, "aws-rds-default"))),
        (None, false) => Ok(None),
    }
}

/// A key of KMS, which is shown by its ARN.
pub(super) fn key_arn(call: &Call<'_>, key: &str) -> String {
    let (region, account) = (&call.service.region, &call.service.account);
    if key.starts_with("arn:") { key.to_owned() } else { format!("arn:aws:kms:{region}:{account}:key/{key}") }
}

/// `db-` and 26 letters and digits.
pub(super) fn resource_id() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let random = (0..26).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())]));
    format!("db-{}", random.collect::<String>())
}

/// The answer to a change of an instance.
pub(super) fn answer(call: &Call<'_>, instance: &Instance) -> Vec<Node> {
    vec![render::instance(call, instance)]
}
