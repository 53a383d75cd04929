//! ModifyDBInstance.

use super::storage::{self, Storage};
use super::{Answer, Call, create, fields};
use crate::model::{Activity, Change, Instance, Phase};
use crate::versions::EngineVersion;
use crate::wire::{ApiError, Params};

/// What is asked for, besides identifiers and flags that only say how.
const MODIFICATIONS: [&str; 22] = [
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod",
    "CACertificateIdentifier",
    "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1",
    "CloudwatchLogsExportConfiguration.DisableLogTypes.member.1",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBParameterGroupName",
    "DeletionProtection",
    "EnableIAMDatabaseAuthentication",
    "EngineVersion",
    "Iops",
    "MasterUserPassword",
    "MaxAllocatedStorage",
    "MultiAZ",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "PubliclyAccessible",
    "StorageThroughput",
    "StorageType",
    "VpcSecurityGroupIds.VpcSecurityGroupId.1",
];

/// Changes of an instance: settings at once, everything that takes time now or in the maintenance window.
pub(super) async fn modify(call: &Call<'_>) -> Answer {
    let id = fields::instance_id(call.params)?;
    let (answer, resource_id) = call
        .service
        .store
        .update(|state| {
            let instance = state.instances.get_mut(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
            *instance = modified(call, instance)?;
            let answer = create::answer(call, instance);
            Ok::<_, ApiError>((answer, instance.resource_id.clone()))
        })
        .await?;
    call.service.attend(&resource_id).await;
    Ok(Some(answer))
}

/// The instance after the call was accepted.
fn modified(call: &Call<'_>, old: &Instance) -> Result<Instance, ApiError> {
    let params = call.params;
    if !MODIFICATIONS.iter().any(|name| params.text(name).is_some()) {
        return Err(ApiError::invalid_combination("No modifications were requested"));
    }
    if params.text("NewDBInstanceIdentifier").is_some() {
        return Err(ApiError::invalid_combination("Renaming an instance is not supported by this local server"));
    }
    if old.phase.activity != Activity::Available {
        return Err(ApiError::invalid_instance_state("Database instance is not in available state."));
    }
    fields::no_managed_password(params)?;
    let mut new = old.clone();
    create::settings(params, &mut new)?;
    exports(params, &mut new);

    let mut now = Change::default();
    let mut timed = Change {
        class: class(params, old)?,
        engine_version: engine_version(params, old)?,
        multi_az: params.boolean("MultiAZ")?.filter(|multi_az| *multi_az != old.multi_az),
        ..Change::default()
    };
    new.multi_az = old.multi_az;
    let retention = fields::backup_retention(params)?.filter(|days| *days != old.backup_retention);
    if let Some(days) = retention {
        // Turning backups on or off is an outage and waits; another number of days does not.
        let outage = (days == 0) != (old.backup_retention == 0);
        let change = if outage { &mut timed } else { &mut now };
        change.backup_retention = Some(days);
    }
    if let Some(password) = params.text("MasterUserPassword") {
        now.master_verifier = Some(fields::master_verifier(password)?);
    }
    timed.merge(storage(call, old)?);

    withdraw(params, &mut new.pending);
    if params.boolean("ApplyImmediately")?.unwrap_or(false) {
        let mut all = std::mem::take(&mut new.pending);
        all.merge(timed);
        all.merge(now);
        now = all;
    } else {
        new.pending.merge(timed);
    }
    if let Some(activity) = activity(now) {
        new.phase = Phase::begin(activity, call.now);
    }
    Ok(new)
}

/// What a request names again no longer waits: the new value does, or nothing where it is the present one.
fn withdraw(params: &Params, pending: &mut Change) {
    let named = |name| params.text(name).is_some();
    pending.class.take_if(|_| named("DBInstanceClass"));
    pending.engine_version.take_if(|_| named("EngineVersion"));
    pending.backup_retention.take_if(|_| named("BackupRetentionPeriod"));
    pending.multi_az.take_if(|_| named("MultiAZ"));
    pending.allocated_storage.take_if(|_| named("AllocatedStorage"));
    pending.storage_type.take_if(|_| named("StorageType"));
    pending.iops.take_if(|_| named("Iops"));
    pending.storage_throughput.take_if(|_| named("StorageThroughput"));
}

/// What begins now, if anything.
fn activity(change: Change) -> Option<Activity> {
    let Change { master_verifier: Some(verifier), .. } = &change else {
        return (!change.is_empty()).then(|| Activity::Modifying { change: Box::new(change) });
    };
    let password_alone = Change { master_verifier: Some(verifier.clone()), ..Change::default() };
    Some(if change == password_alone {
        Activity::ResettingCredentials { verifier: verifier.clone() }
    } else {
        Activity::Modifying { change: Box::new(change) }
    })
}

fn class(params: &Params, old: &Instance) -> Result<Option<String>, ApiError> {
    let class = params.text("DBInstanceClass").map(|text| fields::class(text, old.engine_version)).transpose()?;
    Ok(class.filter(|class| *class != old.class))
}

/// The version to upgrade to. Minor upgrades run the other version's programs on the same data; major ones would need pg_upgrade, which the
/// bundles do not have.
fn engine_version(params: &Params, old: &Instance) -> Result<Option<EngineVersion>, ApiError> {
    let Some(text) = params.text("EngineVersion") else {
        return Ok(None);
    };
    let present = old.engine_version;
    let target = EngineVersion::resolve(Some(text))
        .ok_or_else(|| ApiError::invalid_combination(format!("Cannot find version {text} for postgres")))?;
    if target == present || text == present.major.to_string() && target < present {
        return Ok(None);
    }
    if target < present {
        return Err(ApiError::invalid_combination(format!("Cannot upgrade postgres from {present} to {target}")));
    }
    if target.major != present.major {
        if params.boolean("AllowMajorVersionUpgrade")? != Some(true) {
            return Err(ApiError::invalid_combination(
                "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
            ));
        }
        return Err(ApiError::invalid_combination(format!(
            "This local server cannot upgrade postgres from {present} to {target}: its PostgreSQL bundles have no pg_upgrade"
        )));
    }
    Ok(Some(target))
}

/// The changes of the volume.
fn storage(call: &Call<'_>, old: &Instance) -> Result<Change, ApiError> {
    let params = call.params;
    let asked = ["AllocatedStorage", "StorageType", "Iops", "StorageThroughput"];
    if !asked.iter().any(|name| params.text(name).is_some()) {
        return Ok(Change::default());
    }
    let kind = params.text("StorageType").unwrap_or(&old.storage_type);
    let size = params.parsed("AllocatedStorage")?.unwrap_or(old.allocated_storage);
    // What the volume has stays where it was chosen: below 400 GiB, and on another type, it was not.
    let chosen = kind == old.storage_type && (kind != "gp3" || old.allocated_storage >= 400);
    let keep = |value: Option<u32>| value.filter(|_| chosen);
    let iops = params.parsed("Iops")?.or(keep(old.iops));
    let throughput = params.parsed("StorageThroughput")?.or(keep(old.storage_throughput));
    if size != old.allocated_storage {
        storage::check_growth(old.allocated_storage, size)?;
    }
    let new = Storage::check(size, kind, iops, throughput)?;
    let change = Change {
        allocated_storage: Some(new.size).filter(|size| *size != old.allocated_storage),
        storage_type: Some(new.kind).filter(|kind| *kind != old.storage_type),
        iops: new.iops.filter(|_| new.iops != old.iops),
        storage_throughput: new.throughput.filter(|_| new.throughput != old.storage_throughput),
        ..Change::default()
    };
    if change.touches_storage() && call.service.times.storage_locked(old, call.now) {
        return Err(ApiError::invalid_combination(
            "You can't currently modify the storage of this DB instance because the previous storage change is being optimized.",
        ));
    }
    Ok(change)
}

fn exports(params: &Params, new: &mut Instance) {
    let named = |list: &str| {
        let name = format!("CloudwatchLogsExportConfiguration.{list}");
        params.texts(&name).unwrap_or_default()
    };
    let (enabled, disabled) = (named("EnableLogTypes"), named("DisableLogTypes"));
    new.log_exports.retain(|name| !disabled.contains(name) && !enabled.contains(name));
    new.log_exports.extend(enabled);
}
