//! What the model has, as RDS describes it and the adapter reads it.

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::builders::VpcSecurityGroupMembershipBuilder;
use aws_sdk_rds::types::{
    AccountQuota, DbInstance, DbInstanceAutomatedBackup, DbParameterGroupStatus, DbSnapshot, DbSubnetGroup, Endpoint,
    Parameter, PendingMaintenanceAction, PendingModifiedValues, ResourcePendingMaintenanceActions, RestoreWindow, Tag,
    VpcSecurityGroupMembership,
};
use jiff::Timestamp;
use rds_model::{Account, DEFAULT_SECURITY_GROUP, DEFAULT_SUBNET_GROUP, EngineVersion, Instance, Snapshot, actions};

/// The only engine of the model.
const ENGINE: &str = "postgres";
/// The domain of all endpoints: the simulation's settings trust it.
pub(crate) const DOMAIN: &str = "rds.amazonaws.com";

/// What this version can be upgraded to.
pub(super) fn upgrades(version: &str) -> Vec<String> {
    let version: Option<EngineVersion> = version.parse().ok();
    version.into_iter().flat_map(EngineVersion::upgrade_targets).map(|target| target.to_string()).collect()
}

/// An instance with all that the adapter reads of it.
pub(super) fn instance(account: &Account, from: &Instance, now: Timestamp) -> DbInstance {
    let groups = if from.security_groups.is_empty() {
        vec![DEFAULT_SECURITY_GROUP]
    } else {
        from.security_groups.iter().map(String::as_str).collect()
    };
    let groups =
        groups.into_iter().map(|id| VpcSecurityGroupMembership::builder().vpc_security_group_id(id).status("active"));
    let subnets = from.subnet_group.as_deref().unwrap_or(DEFAULT_SUBNET_GROUP);
    let tags = from.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let endpoint = (from.has_endpoint() && !from.ordered.without_endpoint)
        .then(|| Endpoint::builder().address(host(account, &from.id)).port(from.port.into()).build());
    DbInstance::builder()
        .db_instance_identifier(&from.id)
        .dbi_resource_id(&from.resource_id)
        .db_instance_arn(account.arn("db", &from.id))
        .db_instance_status(account.status(from, now))
        .set_endpoint(endpoint)
        .engine_version(from.engine_version.to_string())
        .auto_minor_version_upgrade(from.auto_minor_version_upgrade)
        .db_instance_class(&from.class)
        .allocated_storage(whole(from.allocated_storage))
        .set_iops(from.iops.map(whole))
        .set_storage_throughput(from.storage_throughput.map(whole))
        .storage_type(&from.storage_type)
        .set_max_allocated_storage(from.max_allocated_storage.map(whole))
        .multi_az(from.multi_az)
        .engine_lifecycle_support(&from.lifecycle_support)
        .backup_retention_period(whole(from.backup_retention))
        .deletion_protection(from.deletion_protection)
        .set_vpc_security_groups(Some(groups.map(VpcSecurityGroupMembershipBuilder::build).collect()))
        .db_subnet_group(DbSubnetGroup::builder().db_subnet_group_name(subnets).build())
        .set_kms_key_id(from.kms_key_id.clone())
        .pending_modified_values(pending(from))
        .db_parameter_groups(
            DbParameterGroupStatus::builder()
                .db_parameter_group_name(&from.parameter_group)
                .parameter_apply_status(from.running.status())
                .build(),
        )
        .set_read_replica_db_instance_identifiers(Some(from.replicas.clone()))
        .preferred_backup_window(&from.backup_window)
        .preferred_maintenance_window(&from.maintenance_window)
        .master_username(&from.master_username)
        .ca_certificate_identifier(&from.ca_certificate)
        .set_tag_list(Some(tags.collect()))
        .build()
}

fn pending(from: &Instance) -> PendingModifiedValues {
    let change = from.pending_change();
    PendingModifiedValues::builder()
        .set_engine_version(change.engine_version.map(|version| version.to_string()))
        .set_db_instance_class(change.class)
        .set_allocated_storage(change.allocated_storage.map(whole))
        .set_iops(change.iops.map(whole))
        .set_storage_throughput(change.storage_throughput.map(whole))
        .set_storage_type(change.storage_type)
        .set_multi_az(change.multi_az)
        .set_backup_retention_period(change.backup_retention.map(whole))
        .build()
}

/// A parameter of a family.
pub(super) fn parameter(from: &actions::ParameterOf) -> Parameter {
    Parameter::builder()
        .parameter_name(from.parameter.name)
        .data_type(from.parameter.data_type)
        .set_allowed_values(from.parameter.allowed.map(str::to_owned))
        .is_modifiable(from.parameter.modifiable)
        .build()
}

/// How much there is of something, and may be.
pub(super) fn quota(from: &actions::AccountQuota) -> AccountQuota {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    AccountQuota::builder().account_quota_name(from.name).used(count(from.used)).max(count(from.max)).build()
}

/// A snapshot; when it was made is told once it is.
pub(super) fn snapshot(from: &Snapshot) -> DbSnapshot {
    let made = from.available().then(|| DateTime::from_secs(from.created_at.as_second()));
    DbSnapshot::builder()
        .db_snapshot_identifier(&from.id)
        .db_instance_identifier(&from.source.id)
        .snapshot_type(from.kind.name())
        .status(from.status.name())
        .set_snapshot_create_time(made)
        .dbi_resource_id(&from.source.resource_id)
        .engine(ENGINE)
        .engine_version(from.source.engine_version.to_string())
        .master_username(&from.source.master_username)
        .allocated_storage(whole(from.source.allocated_storage))
        .set_tag_list(Some(from.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()))
        .build()
}

/// Automated backups, of an instance that is there or gone.
pub(super) fn automated(account: &Account, from: &actions::Backup, now: Timestamp) -> DbInstanceAutomatedBackup {
    let at = |moment: Timestamp| DateTime::from_secs(moment.as_second());
    let reaches = from
        .window(account, now)
        .map(|(first, last)| RestoreWindow::builder().earliest_time(at(first)).latest_time(at(last)).build());
    let tags = from.source.backup_tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    DbInstanceAutomatedBackup::builder()
        .db_instance_identifier(&from.source.id)
        .dbi_resource_id(&from.source.resource_id)
        .status(from.status)
        .set_restore_window(reaches)
        .engine(ENGINE)
        .engine_version(from.source.engine_version.to_string())
        .master_username(&from.source.master_username)
        .allocated_storage(whole(from.source.allocated_storage))
        .set_tag_list(Some(tags.collect()))
        .build()
}

/// The middle part is one for an account and region.
fn host(account: &Account, identifier: &str) -> String {
    format!("{identifier}.c{}.{}.{DOMAIN}", account.id, account.region)
}

/// The numbers of the model are bounded far below.
fn whole(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// What is pending for an instance.
pub(super) fn maintenance(account: &Account, from: &Instance, now: Timestamp) -> ResourcePendingMaintenanceActions {
    let pending = from.maintenance.iter().map(|(action, pending)| {
        let applied = pending.applied_at(&from.maintenance_window, now);
        PendingMaintenanceAction::builder()
            .action(action.name())
            .set_description(pending.description.clone())
            .set_current_apply_date(applied.map(|at| DateTime::from_secs(at.as_second())))
            .build()
    });
    ResourcePendingMaintenanceActions::builder()
        .resource_identifier(account.arn("db", &from.id))
        .set_pending_maintenance_action_details(Some(pending.collect()))
        .build()
}
