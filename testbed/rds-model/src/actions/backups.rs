//! DescribeDBInstanceAutomatedBackups and DeleteDBInstanceAutomatedBackup.

use jiff::Timestamp;

use super::filters;
use crate::account::Account;
use crate::backups::{expire, forget};
use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::params::Params;
use crate::state::{Instance, State};

/// An automated backup: of an instance that is there, or retained of one that is gone.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The instance, as it is or was last.
    pub source: Instance,
    /// The `Status` of the API.
    pub status: &'static str,
}

impl Backup {
    /// The earliest and the latest moment that can be restored.
    pub fn window(&self, account: &Account, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let since = self.source.restorable_since?;
        let until = match self.status {
            "active" => account.times(&self.source).latest_restorable(&self.source, now)?,
            // Nothing was written after it had gone.
            _ => since.max(self.source.phase.since),
        };
        Some((since, until))
    }
}

/// All automated backups, or those that a request names.
pub fn describe_backups(
    account: &Account,
    state: &State,
    params: &Params,
    now: Timestamp,
) -> Result<Page<Backup>, ApiError> {
    let wanted = Wanted::parse(params)?;
    let instance = params.text("DBInstanceIdentifier").map(str::to_ascii_lowercase);
    let filters = filters::parse(params, &["status", "db-instance-id", "dbi-resource-id"])?;
    let mut backups = backups(account, state, now);
    backups.retain(|backup| {
        wanted.as_ref().is_none_or(|wanted| wanted.is(account, &backup.source))
            && instance.as_ref().is_none_or(|id| *id == backup.source.id)
            && filters::all(&filters, |name, value| match name {
                "status" => value == backup.status,
                "db-instance-id" => account.id_of("db", value) == backup.source.id,
                _ => value == backup.source.resource_id,
            })
    });
    if let Some(wanted) = wanted.filter(|_| backups.is_empty()) {
        return Err(wanted.not_found());
    }
    paginate(backups, |backup| backup.source.resource_id.clone(), params)
}

/// Removes a retained backup; that of an instance goes with the instance.
pub fn delete_backup(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
) -> Result<Backup, ApiError> {
    let wanted = Wanted::parse(params)?.ok_or_else(|| ApiError::missing_parameter("DbiResourceId"))?;
    expire(account, state, now);
    let found = backups(account, state, now).into_iter().find(|backup| wanted.is(account, &backup.source));
    let backup = found.ok_or_else(|| wanted.not_found())?;
    if backup.status != "retained" {
        return Err(ApiError::of(
            "InvalidDBInstanceAutomatedBackupState",
            "The automated backup of a DB instance that exists can't be deleted.",
        ));
    }
    forget(state, &backup.source.resource_id);
    Ok(Backup { status: "deleting", ..backup })
}

/// By resource id.
pub(super) fn backups(account: &Account, state: &State, now: Timestamp) -> Vec<Backup> {
    let active = state.instances.values().filter(|instance| instance.backup_retention > 0).map(|source| {
        let status = if source.restorable_since.is_some() { "active" } else { "creating" };
        Backup { source: source.clone(), status }
    });
    let retained = state.retained.values().filter(|backup| !account.times(&backup.source).expired(backup, now));
    let retained = retained.map(|backup| Backup { source: backup.source.clone(), status: "retained" });
    let mut backups: Vec<_> = active.chain(retained).collect();
    backups.sort_by(|a, b| a.source.resource_id.cmp(&b.source.resource_id));
    backups
}

/// The backup that a request names.
pub(super) enum Wanted {
    /// By the resource id of its instance, in any case.
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

    pub(super) fn is(&self, account: &Account, source: &Instance) -> bool {
        match self {
            Self::Resource(id) => id.eq_ignore_ascii_case(&source.resource_id),
            Self::Arn(arn) => *arn == backup_arn(account, source),
        }
    }

    pub(super) fn not_found(&self) -> ApiError {
        let (Self::Resource(name) | Self::Arn(name)) = self;
        ApiError::of("DBInstanceAutomatedBackupNotFound", format!("No automated backup for {name} was found."))
    }
}

/// The ARN of the automated backup of an instance, there or gone.
pub fn backup_arn(account: &Account, source: &Instance) -> String {
    let random = source.resource_id.trim_start_matches("db-").to_ascii_lowercase();
    account.arn("auto-backup", &format!("ab-{random}"))
}
