//! DescribeDBInstanceAutomatedBackups and DeleteDBInstanceAutomatedBackup.

use jiff::Timestamp;

use super::{Answer, Call, filters, render};
use crate::backups as automated;
use crate::model::{Instance, State};
use crate::wire::page::paginate;
use crate::wire::{ApiError, Node, Params};

/// An automated backup: of an instance that is there, or retained of one that is gone.
struct Backup<'a> {
    source: &'a Instance,
    status: &'static str,
}

/// All automated backups, or those that a request names.
pub(super) async fn describe(call: &Call<'_>) -> Answer {
    let params = call.params;
    let wanted = Wanted::parse(params)?;
    let instance = params.text("DBInstanceIdentifier").map(str::to_ascii_lowercase);
    let filters = filters::parse(params, &["status", "db-instance-id", "dbi-resource-id"])?;
    call.service
        .store
        .read(|state| {
            let mut backups = backups(call, state);
            backups.retain(|backup| {
                wanted.as_ref().is_none_or(|wanted| wanted.is(call, backup.source))
                    && instance.as_ref().is_none_or(|id| *id == backup.source.id)
                    && filters::all(&filters, |name, value| match name {
                        "status" => value == backup.status,
                        "db-instance-id" => call.service.id_of("db", value) == backup.source.id,
                        _ => value == backup.source.resource_id,
                    })
            });
            if let Some(wanted) = wanted.filter(|_| backups.is_empty()) {
                return Err(wanted.not_found());
            }
            let page = paginate(backups, |backup| backup.source.resource_id.clone(), params)?;
            let list = Node::list("DBInstanceAutomatedBackups", &page.items, |backup| {
                render_backup(call, backup.source, backup.status)
            });
            Ok(Some(page.marker_node().into_iter().chain([list]).collect()))
        })
        .await
}

/// Removes a retained backup; that of an instance goes with the instance.
pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let wanted = Wanted::parse(call.params)?.ok_or_else(|| ApiError::missing_parameter("DbiResourceId"))?;
    let node = call
        .service
        .store
        .update(|state| {
            automated::expire(state, call.service.times, call.now);
            let backups = backups(call, state);
            let found = backups.iter().find(|backup| wanted.is(call, backup.source));
            let backup = found.ok_or_else(|| wanted.not_found())?;
            if backup.status != "retained" {
                return Err(ApiError::of(
                    "InvalidDBInstanceAutomatedBackupState",
                    "The automated backup of a DB instance that exists can't be deleted.",
                ));
            }
            let (node, resource_id) =
                (render_backup(call, backup.source, "deleting"), backup.source.resource_id.clone());
            automated::forget(state, &resource_id);
            Ok::<_, ApiError>(node)
        })
        .await?;
    Ok(Some(vec![node]))
}

/// By resource id.
fn backups<'a>(call: &Call<'_>, state: &'a State) -> Vec<Backup<'a>> {
    let active = state
        .instances
        .values()
        .filter(|instance| instance.backup_retention > 0)
        .map(|source| Backup { source, status: if source.restorable_since.is_some() { "active" } else { "creating" } });
    let retained = state.retained.values().filter(|backup| !call.service.times.expired(backup, call.now));
    let retained = retained.map(|backup| Backup { source: &backup.source, status: "retained" });
    let mut backups: Vec<_> = active.chain(retained).collect();
    backups.sort_by(|a, b| a.source.resource_id.cmp(&b.source.resource_id));
    backups
}

/// The backup that a request names.
enum Wanted {
    Resource(String),
    Arn(String),
}

impl Wanted {
    fn parse(params: &Params) -> Result<Option<Self>, ApiError> {
        match (params.text("DbiResourceId"), params.text("DBInstanceAutomatedBackupsArn")) {
            (Some(_), Some(_)) => Err(ApiError::invalid_combination(
                "DbiResourceId and DBInstanceAutomatedBackupsArn can't be specified together.",
            )),
            (Some(id), None) => Ok(Some(Self::Resource(id.to_owned()))),
            (None, Some(arn)) => Ok(Some(Self::Arn(arn.to_owned()))),
            (None, None) => Ok(None),
        }
    }

    fn is(&self, call: &Call<'_>, source: &Instance) -> bool {
        match self {
            Self::Resource(id) => *id == source.resource_id,
            Self::Arn(arn) => *arn == backup_arn(call, source),
        }
    }

    fn not_found(&self) -> ApiError {
        let (Self::Resource(name) | Self::Arn(name)) = self;
        ApiError::of("DBInstanceAutomatedBackupNotFound", format!("No automated backup for {name} was found."))
    }
}

fn backup_arn(call: &Call<'_>, source: &Instance) -> String {
    let random = source.resource_id.trim_start_matches("db-").to_ascii_lowercase();
    call.service.arn("auto-backup", &format!("ab-{random}"))
}

fn render_backup(call: &Call<'_>, source: &Instance, status: &'static str) -> Node {
    let until: Option<Timestamp> = match status {
        "active" => call.service.times.latest_restorable(source, call.now),
        // Nothing was written after it had gone.
        _ => source.restorable_since.map(|since| since.max(source.phase.since)),
    };
    let window = source.restorable_since.zip(until).map(|(earliest, latest)| {
        Node::tree("RestoreWindow", vec![Node::time("EarliestTime", earliest), Node::time("LatestTime", latest)])
    });
    let mut nodes = vec![
        Node::leaf("DBInstanceArn", call.service.arn("db", &source.id)),
        Node::leaf("DbiResourceId", &source.resource_id),
        Node::leaf("Region", &call.service.region),
        Node::leaf("DBInstanceIdentifier", &source.id),
        Node::leaf("AllocatedStorage", source.allocated_storage),
        Node::leaf("Status", status),
        Node::leaf("Port", call.service.env.endpoints.port(source.port)),
        Node::leaf("AvailabilityZone", &source.availability_zone),
        Node::time("InstanceCreateTime", source.created_at),
        Node::leaf("MasterUsername", &source.master_username),
        Node::leaf("Engine", "postgres"),
        Node::leaf("EngineVersion", source.engine_version),
        Node::leaf("LicenseModel", "postgresql-license"),
        Node::leaf("OptionGroupName", format_args!("default:postgres-{}", source.engine_version.major)),
        Node::leaf("Encrypted", source.storage_encrypted),
        Node::leaf("StorageType", &source.storage_type),
        Node::leaf("IAMDatabaseAuthenticationEnabled", source.iam_authentication),
        Node::leaf("BackupRetentionPeriod", source.backup_retention),
        Node::leaf("PreferredBackupWindow", &source.backup_window),
        Node::leaf("DBInstanceAutomatedBackupsArn", backup_arn(call, source)),
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
