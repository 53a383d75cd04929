//! The settings that several actions take.

use super::storage;
use super::{fields, observability};
use crate::account::Account;
use crate::error::ApiError;
use crate::network::{DEFAULT_SECURITY_GROUP, DEFAULT_SUBNET_GROUP};
use crate::params::Params;
use crate::state::Instance;

/// Authorities that RDS signs with [RDS User Guide, "Certificate authorities"].
pub const AUTHORITIES: [&str; 3] = ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"];

/// What creation, restore and modification have in common, and that needs no work.
pub(super) fn at_once(account: &Account, params: &Params, instance: &mut Instance) -> Result<(), ApiError> {
    let set = |name, target: &mut bool| -> Result<(), ApiError> {
        *target = params.boolean(name)?.unwrap_or(*target);
        Ok(())
    };
    set("PubliclyAccessible", &mut instance.publicly_accessible)?;
    set("AutoMinorVersionUpgrade", &mut instance.auto_minor_version_upgrade)?;
    set("CopyTagsToSnapshot", &mut instance.copy_tags_to_snapshot)?;
    set("DeletionProtection", &mut instance.deletion_protection)?;
    let replace = |name, target: &mut String| {
        if let Some(text) = params.text(name) {
            text.clone_into(target);
        }
    };
    replace("PreferredBackupWindow", &mut instance.backup_window);
    replace("PreferredMaintenanceWindow", &mut instance.maintenance_window);
    instance.maintenance_window.make_ascii_lowercase();
    fields::check_windows(&instance.backup_window, &instance.maintenance_window)?;
    if let Some(name) = params.text("OptionGroupName") {
        option_group(name, instance)?;
    }
    if let Some(groups) = params.texts("VpcSecurityGroupIds") {
        let unknown = |group: &&String| !account.has_security_group(group);
        if let Some(group) = groups.iter().find(unknown) {
            return Err(ApiError::invalid_value(format!("Invalid security group , groupId= {group}, groupName=.")));
        }
        instance.security_groups = groups;
    }
    if let Some(limit) = params.parsed("MaxAllocatedStorage")? {
        instance.max_allocated_storage = storage::max_allocated(limit, instance.allocated_storage)?;
    }
    if let Some(tags) = fields::backup_tags(params)? {
        instance.backup_tags = tags;
    }
    instance.insights = observability::insights(account, params, &instance.insights)?;
    Ok(())
}

/// What an instance is born with, and can only change later as time passes.
pub(super) fn at_birth(account: &Account, params: &Params, instance: &mut Instance) -> Result<(), ApiError> {
    instance.multi_az = params.boolean("MultiAZ")?.unwrap_or(false);
    instance.iam_authentication = params.boolean("EnableIAMDatabaseAuthentication")?.unwrap_or(false);
    instance.dedicated_log_volume = params.boolean("DedicatedLogVolume")?.unwrap_or(false);
    check_log_volume(instance.dedicated_log_volume, &instance.storage_type)?;
    if let Some(authority) = certificate_authority(params)? {
        instance.ca_certificate = authority;
    }
    if let Some(zone) = params.text("AvailabilityZone") {
        if instance.multi_az {
            return Err(ApiError::invalid_combination(
                "Requesting a specific availability zone is not valid for Multi-AZ instances.",
            ));
        }
        if !account.has_zone(zone) {
            return Err(ApiError::invalid_value(format!("Invalid availability zone: {zone}")));
        }
        zone.clone_into(&mut instance.availability_zone);
    }
    instance.subnet_group = Some(subnet_group(account, params)?.unwrap_or_else(|| DEFAULT_SUBNET_GROUP.to_owned()));
    if instance.security_groups.is_empty() {
        instance.security_groups = vec![DEFAULT_SECURITY_GROUP.to_owned()];
    }
    if let Some(logs) = params.texts("EnableCloudwatchLogsExports") {
        observability::check_logs(&logs, instance.engine_version)?;
        instance.log_exports = logs;
    }
    fields::check_port(params, "Port")
}

/// The certificate authority that a request names.
pub(super) fn certificate_authority(params: &Params) -> Result<Option<String>, ApiError> {
    match params.text("CACertificateIdentifier") {
        Some(name) if !AUTHORITIES.contains(&name) => {
            Err(ApiError::of("CertificateNotFound", format!("Certificate not found: {name}")))
        }
        name => Ok(name.map(str::to_owned)),
    }
}

/// The subnet group that a request names.
pub(super) fn subnet_group(account: &Account, params: &Params) -> Result<Option<String>, ApiError> {
    let Some(name) = params.text("DBSubnetGroupName").map(str::to_ascii_lowercase) else {
        return Ok(None);
    };
    if account.has_subnet_group(&name) {
        return Ok(Some(name));
    }
    Err(ApiError::of("DBSubnetGroupNotFoundFault", format!("DB subnet group '{name}' does not exist.")))
}

/// A volume of its own for the write-ahead log comes with provisioned IOPS only.
pub(super) fn check_log_volume(wanted: bool, storage_type: &str) -> Result<(), ApiError> {
    if wanted && !["io1", "io2"].contains(&storage_type) {
        return Err(ApiError::invalid_combination(format!(
            "A dedicated log volume isn't supported for storage type {storage_type}."
        )));
    }
    Ok(())
}

/// The account has the default option groups, and PostgreSQL has no others.
fn option_group(name: &str, instance: &Instance) -> Result<(), ApiError> {
    if name == format!("default:postgres-{}", instance.engine_version.major) {
        return Ok(());
    }
    Err(ApiError::of("OptionGroupNotFoundFault", format!("Specified OptionGroupName: {name} not found.")))
}
