//! CreateDBInstance.

use jiff::Timestamp;

use super::storage::{self, Storage};
use super::{Answer, Call, fields, render};
use crate::model::{Activity, Change, Instance, Phase};
use crate::postgres::free_port;
use crate::wire::{ApiError, Node, Params};

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
            if state.instances.contains_key(&instance.id) {
                return Err(ApiError::instance_exists());
            }
            if let Some(quota) = call.service.instance_quota
                && state.instances.len() >= quota
            {
                return Err(ApiError::instance_quota());
            }
            let taken: Vec<u16> = state.instances.values().map(|other| other.port).collect();
            instance.port = free_port(&taken).map_err(|error| ApiError::internal(&error))?;
            let node = render::instance(call, &instance);
            state.instances.insert(instance.id.clone(), instance);
            Ok(node)
        })
        .await?;
    call.service.attend(&resource_id).await;
    Ok(Some(vec![node]))
}

fn parse(call: &Call<'_>) -> Result<Instance, ApiError> {
    let params = call.params;
    let id = fields::identifier(params, "DBInstanceIdentifier", 63)?;
    let class = params.required("DBInstanceClass")?;
    fields::postgres_only(params.required("Engine")?)?;
    let version = fields::engine_version(params)?;
    let storage = Storage::parse(params, None)?;
    let master_username = fields::master_username(params)?;
    fields::no_managed_password(params)?;
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
        availability_zone: format!("{}a", call.service.region),
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
        tags: fields::tags(params)?,
        pending: Change::default(),
        storage_changed_at: None,
        delete_automated_backups: true,
        forced_status: None,
        phase: creating(None, call.now),
    };
    settings(params, &mut instance)?;
    Ok(instance)
}

/// The phase of an instance that is being made.
pub(super) fn creating(from_snapshot: Option<String>, now: Timestamp) -> Phase {
    Phase::begin(Activity::Creating { from_snapshot }, now)
}

/// The settings that creation and restore have in common, and that need no work.
pub(super) fn settings(params: &Params, instance: &mut Instance) -> Result<(), ApiError> {
    let set = |name, target: &mut bool| -> Result<(), ApiError> {
        *target = params.boolean(name)?.unwrap_or(*target);
        Ok(())
    };
    set("MultiAZ", &mut instance.multi_az)?;
    set("PubliclyAccessible", &mut instance.publicly_accessible)?;
    set("AutoMinorVersionUpgrade", &mut instance.auto_minor_version_upgrade)?;
    set("CopyTagsToSnapshot", &mut instance.copy_tags_to_snapshot)?;
    set("DeletionProtection", &mut instance.deletion_protection)?;
    set("EnableIAMDatabaseAuthentication", &mut instance.iam_authentication)?;
    let replace = |name, target: &mut String| {
        if let Some(text) = params.text(name) {
            text.clone_into(target);
        }
    };
    replace("PreferredBackupWindow", &mut instance.backup_window);
    replace("PreferredMaintenanceWindow", &mut instance.maintenance_window);
    instance.maintenance_window.make_ascii_lowercase();
    fields::check_windows(&instance.backup_window, &instance.maintenance_window)?;
    replace("DBParameterGroupName", &mut instance.parameter_group);
    replace("CACertificateIdentifier", &mut instance.ca_certificate);
    if let Some(zone) = params.text("AvailabilityZone") {
        if instance.multi_az {
            return Err(ApiError::invalid_combination(
                "Requesting a specific availability zone is not valid for Multi-AZ instances.",
            ));
        }
        zone.clone_into(&mut instance.availability_zone);
    }
    if let Some(name) = params.text("DBSubnetGroupName") {
        instance.subnet_group = Some(name.to_owned());
    }
    if let Some(groups) = params.texts("VpcSecurityGroupIds") {
        instance.security_groups = groups;
    }
    if let Some(logs) = params.texts("EnableCloudwatchLogsExports") {
        instance.log_exports = logs;
    }
    if let Some(limit) = params.parsed("MaxAllocatedStorage")? {
        instance.max_allocated_storage = storage::max_allocated(limit, instance.allocated_storage)?;
    }
    fields::check_port(params, "Port")
}

/// The key that encrypts the storage: the one asked for, or the account's default.
fn kms_key(call: &Call<'_>, encrypted: bool) -> Result<Option<String>, ApiError> {
    let (region, account) = (&call.service.region, &call.service.account);
    match (call.params.text("KmsKeyId"), encrypted) {
        (Some(_), false) => {
            Err(ApiError::invalid_combination("KmsKeyId cannot be specified when StorageEncrypted is false"))
        }
        (Some(key), true) if key.starts_with("arn:") => Ok(Some(key.to_owned())),
        (Some(key), true) => Ok(Some(format!("arn:aws:kms:{region}:{account}:key/{key}"))),
        (None, true) => Ok(Some(format!("arn:aws:kms:{region}:{account}:key/aws-rds-default"))),
        (None, false) => Ok(None),
    }
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
