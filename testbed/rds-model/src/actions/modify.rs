//! ModifyDBInstance.

use jiff::Timestamp;

use super::storage::{self, Storage};
use super::{create, elsewhere, fields, observability, parameter_groups, settings};
use crate::abilities::Abilities;
use crate::account::Account;
use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::params::Params;
use crate::state::{Activity, CertificateRotation, Change, Instance, MaintenanceAction, Phase, State, default_group};
use crate::versions::EngineVersion;

/// What only says how or of what, and what every request has.
const NO_MODIFICATIONS: [&str; 7] = [
    "Action",
    "AllowMajorVersionUpgrade",
    "ApplyImmediately",
    "CertificateRotationRestart",
    "DBInstanceIdentifier",
    "Engine",
    "Version",
];

/// Changes of an instance: settings at once, everything that takes time now or in the maintenance window.
pub fn modify_instance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    let id = fields::instance_id(params)?;
    let old = state.instances.get(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
    let new = modified(account, state, old, params, now, fresh)?;
    state.instances.insert(id, new.clone());
    Ok(new)
}

/// The instance after the call was accepted.
fn modified(
    account: &Account,
    state: &State,
    old: &Instance,
    params: &Params,
    at: Timestamp,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    let at_once = params.boolean("ApplyImmediately")?.unwrap_or(false);
    let sent = params.sent();
    let asked: Vec<&str> = sent.into_iter().filter(|name| !NO_MODIFICATIONS.contains(name)).collect();
    // Without a change it still applies what waits for the window.
    if asked.is_empty() && !at_once {
        return Err(ApiError::invalid_combination("No modifications were requested"));
    }
    let shown = account.status(old, at);
    if !Abilities::of(old, shown).iter().all(|can| can.modify.takes(&asked)) {
        return Err(ApiError::invalid_instance_state("Database instance is not in available state."));
    }
    elsewhere::refuse(params)?;
    params.text("Engine").map_or(Ok(()), fields::postgres_only)?;
    if let Some(group) = settings::subnet_group(account, params)? {
        return Err(same_vpc(old, &group));
    }
    let mut new = old.clone();
    settings::at_once(account, params, &mut new)?;
    if let Some(lifecycle) = fields::lifecycle_support(params)? {
        fields::check_lifecycle(lifecycle, old.engine_version, at)?;
        lifecycle.clone_into(&mut new.lifecycle_support);
    }

    let engine_version = engine_version(params, old)?;
    let group = parameter_groups::named(account, state, params, engine_version.unwrap_or(old.engine_version))?;
    let upgraded_group = engine_version.and_then(|target| upgraded_group(old, target, group.clone()).transpose());
    if let Some(group) = group.filter(|_| upgraded_group.is_none()) {
        new.parameter_group = group;
    }

    let mut now = Change {
        monitoring: Some(observability::monitoring(params, &old.monitoring)?).filter(|new| *new != old.monitoring),
        log_exports: exports(params, old)?.filter(|new| *new != old.log_exports),
        port: port(params, old, state, fresh)?,
        ..Change::default()
    };
    let mut timed = Change {
        new_id: new_id(params, old, state)?,
        class: class(params, old)?,
        engine_version,
        parameter_group: upgraded_group.transpose()?,
        multi_az: params.boolean("MultiAZ")?.filter(|multi_az| *multi_az != old.multi_az),
        iam_authentication: params
            .boolean("EnableIAMDatabaseAuthentication")?
            .filter(|enabled| *enabled != old.iam_authentication),
        certificate: certificate(params, old)?,
        ..Change::default()
    };
    let retention = fields::backup_retention(params)?.filter(|days| *days != old.backup_retention);
    if retention == Some(0) && !old.replicas.is_empty() {
        return Err(ApiError::invalid_combination(
            "Cannot disable automated backups of a DB instance that is a source to read replicas.",
        ));
    }
    if let Some(days) = retention {
        // Turning backups on or off is an outage and waits; another number of days does not.
        let outage = (days == 0) != (old.backup_retention == 0);
        let change = if outage { &mut timed } else { &mut now };
        change.backup_retention = Some(days);
    }
    if let Some(password) = params.text("MasterUserPassword") {
        now.master_verifier = Some(fields::master_verifier(password, fresh)?);
    }
    timed.merge(storage(account, params, old, at)?);
    let storage_type = timed.storage_type.as_ref().unwrap_or(&old.storage_type);
    let log_volume = params.boolean("DedicatedLogVolume")?;
    settings::check_log_volume(log_volume.unwrap_or(old.dedicated_log_volume), storage_type)?;
    timed.dedicated_log_volume = log_volume.filter(|wanted| *wanted != old.dedicated_log_volume);

    withdraw(params, &mut new.pending);
    if at_once {
        let mut all = std::mem::take(&mut new.pending);
        all.merge(timed);
        all.merge(now);
        // What is required of the engine comes along [RDS User Guide, "Maintaining a DB instance"].
        old.maintain(&mut all, |action, pending| action == MaintenanceAction::DbUpgrade && pending.required());
        now = all;
    } else {
        new.pending.merge(timed);
    }
    if now.needs_restart() && !now.is_major_upgrade(old.engine_version) {
        new.load_parameters(&state.parameter_groups);
    }
    new.compare_parameters(&state.parameter_groups, at);
    if let Some(activity) = activity(now) {
        new.phase = Phase::begin(activity, at);
    }
    Ok(new)
}

/// What a request names again no longer waits: the new value does, or nothing where it is the present one.
fn withdraw(params: &Params, pending: &mut Change) {
    let named = |name| params.text(name).is_some();
    pending.new_id.take_if(|_| named("NewDBInstanceIdentifier"));
    pending.iam_authentication.take_if(|_| named("EnableIAMDatabaseAuthentication"));
    pending.certificate.take_if(|_| named("CACertificateIdentifier"));
    pending.dedicated_log_volume.take_if(|_| named("DedicatedLogVolume"));
    pending.class.take_if(|_| named("DBInstanceClass"));
    if named("EngineVersion") {
        (pending.engine_version, pending.parameter_group) = (None, None);
    }
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

/// The version to upgrade to.
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
    if target.major != present.major && params.boolean("AllowMajorVersionUpgrade")? != Some(true) && target > present {
        return Err(ApiError::invalid_combination(
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        ));
    }
    if !present.upgrade_targets().any(|valid| valid == target) {
        return Err(ApiError::invalid_combination(format!("Cannot upgrade postgres from {present} to {target}")));
    }
    Ok(Some(target))
}

/// The parameter group that an instance has after an upgrade to another major version: the one that is named, or the default one of the new
/// family where the present one is a default one too.
fn upgraded_group(old: &Instance, target: EngineVersion, named: Option<String>) -> Result<Option<String>, ApiError> {
    if target.major == old.engine_version.major {
        return Ok(None);
    }
    if named.is_none() && old.parameter_group != default_group(old.engine_version) {
        return Err(ApiError::invalid_combination(format!(
            "Current Parameter Group ({}) is non-default. You need to explicitly specify a new Parameter Group in this case (default or custom)",
            old.parameter_group
        )));
    }
    Ok(Some(named.unwrap_or_else(|| default_group(target))))
}

/// The changes of the volume.
fn storage(account: &Account, params: &Params, old: &Instance, at: Timestamp) -> Result<Change, ApiError> {
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
    let optimizing = account.status(old, at) == "storage-optimization";
    if change.touches_storage() && (optimizing || account.times(old).storage_locked(old, at)) {
        return Err(ApiError::invalid_combination(
            "You can't currently modify the storage of this DB instance because the previous storage change is being optimized.",
        ));
    }
    Ok(change)
}

/// The log types to export from now on, where the request says anything of them.
fn exports(params: &Params, old: &Instance) -> Result<Option<Vec<String>>, ApiError> {
    let named = |list: &str| params.texts(&format!("CloudwatchLogsExportConfiguration.{list}"));
    let (enabled, disabled) = (named("EnableLogTypes"), named("DisableLogTypes"));
    if enabled.is_none() && disabled.is_none() {
        return Ok(None);
    }
    let (enabled, disabled) = (enabled.unwrap_or_default(), disabled.unwrap_or_default());
    observability::check_logs(&enabled, old.engine_version)?;
    observability::check_logs(&disabled, old.engine_version)?;
    let kept = old.log_exports.iter().filter(|name| !disabled.contains(name) && !enabled.contains(name));
    Ok(Some(kept.chain(&enabled).cloned().collect()))
}

/// Another identifier for the instance.
fn new_id(params: &Params, old: &Instance, state: &State) -> Result<Option<String>, ApiError> {
    if params.text("NewDBInstanceIdentifier").is_none() {
        return Ok(None);
    }
    let new = fields::identifier(params, "NewDBInstanceIdentifier", 63)?;
    if new == old.id {
        return Ok(None);
    }
    if create::name_is_taken(state, &new) { Err(ApiError::instance_exists()) } else { Ok(Some(new)) }
}

/// Another port: the one asked for where it can be had, else any.
fn port(params: &Params, old: &Instance, state: &State, fresh: &mut impl Fresh) -> Result<Option<u16>, ApiError> {
    fields::check_port(params, "DBPortNumber")?;
    let Some(wanted) = params.parsed::<u16>("DBPortNumber")?.filter(|wanted| *wanted != old.port) else {
        return Ok(None);
    };
    fresh.port(&create::ports(state), Some(wanted)).map(Some)
}

/// Another certificate authority, for which the server restarts unless the request says otherwise.
fn certificate(params: &Params, old: &Instance) -> Result<Option<CertificateRotation>, ApiError> {
    let restart = params.boolean("CertificateRotationRestart")?.unwrap_or(true);
    let authority = settings::certificate_authority(params)?.filter(|authority| *authority != old.ca_certificate);
    Ok(authority.map(|authority| CertificateRotation { authority, restart }))
}

/// All subnet groups are in one VPC, and instances move between VPCs only.
fn same_vpc(old: &Instance, group: &str) -> ApiError {
    let message = if old.subnet_group.as_deref() == Some(group) {
        "The specified DB instance is already in the target DB subnet group.".to_owned()
    } else {
        format!(
            "You cannot move DB instance {} to subnet group {group}. The specified DB subnet group and DB instance are in the same VPC. \
             Choose a DB subnet group in different VPC than the specified DB instance and try again.",
            old.id
        )
    };
    ApiError::of("InvalidVPCNetworkStateFault", message)
}
