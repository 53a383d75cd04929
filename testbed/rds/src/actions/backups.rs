//! Automated backups as XML.

use rds_model::actions::{Backup, backup_arn};

use super::{Call, render};
use crate::wire::Node;

/// A `DBInstanceAutomatedBackup`.
pub(super) fn backup(call: &Call<'_>, backup: &Backup) -> Node {
    let account = &call.service.account;
    let Backup { source, status } = backup;
    let window = backup.window(account, call.now).map(|(earliest, latest)| {
        Node::tree("RestoreWindow", vec![Node::time("EarliestTime", earliest), Node::time("LatestTime", latest)])
    });
    let mut nodes = vec![
        Node::leaf("DBInstanceArn", account.arn("db", &source.id)),
        Node::leaf("DbiResourceId", &source.resource_id),
        Node::leaf("Region", &account.region),
        Node::leaf("DBInstanceIdentifier", &source.id),
        Node::leaf("AllocatedStorage", source.allocated_storage),
        Node::leaf("Status", status),
        Node::leaf("Port", call.service.env.endpoints.port(source.port)),
        Node::leaf("AvailabilityZone", &source.availability_zone),
        Node::leaf("VpcId", render::VPC),
        Node::time("InstanceCreateTime", source.created_at),
        Node::leaf("MasterUsername", &source.master_username),
        Node::leaf("Engine", "postgres"),
        Node::leaf("EngineVersion", source.engine_version),
        Node::leaf("LicenseModel", "postgresql-license"),
        Node::leaf("OptionGroupName", format_args!("default:postgres-{}", source.engine_version.major)),
        Node::leaf("Encrypted", source.storage_encrypted),
        Node::leaf("StorageEncryptionType", render::encryption(source)),
        Node::leaf("StorageType", &source.storage_type),
        Node::leaf("IAMDatabaseAuthenticationEnabled", source.iam_authentication),
        Node::leaf("BackupRetentionPeriod", source.backup_retention),
        Node::leaf("PreferredBackupWindow", &source.backup_window),
        Node::leaf("DBInstanceAutomatedBackupsArn", backup_arn(account, source)),
        Node::leaf("BackupTarget", "region"),
        Node::leaf("DedicatedLogVolume", source.dedicated_log_volume),
        render::tag_list(&source.backup_tags),
    ];
    nodes.extend(window);
    let optional = [
        render::optional("Iops", source.iops),
        render::optional("StorageThroughput", source.storage_throughput),
        render::optional("KmsKeyId", source.kms_key_id.as_ref()),
    ];
    nodes.extend(optional.into_iter().flatten());
    Node::tree("DBInstanceAutomatedBackup", nodes)
}
