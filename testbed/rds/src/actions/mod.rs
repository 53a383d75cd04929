//! What each action of the API does.

mod backups;
mod create;
mod delete;
mod describe;
mod elsewhere;
mod events;
mod fields;
mod filters;
mod identity;
mod logs;
mod modify;
mod observability;
mod power;
mod render;
mod restore;
mod settings;
mod snapshots;
mod storage;
mod tags;
mod versions;

use std::sync::Arc;

use jiff::Timestamp;

use crate::service::Service;
use crate::store::StoreError;
use crate::wire::auth::Caller;
use crate::wire::{ApiError, Node, Params};

/// One authenticated call.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Arc<Service>,
    pub(crate) params: &'a Params,
    pub(crate) caller: &'a Caller,
    pub(crate) now: Timestamp,
}

/// The children of the result element; `None` for actions that have no result.
pub(crate) type Answer = Result<Option<Vec<Node>>, ApiError>;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

/// Performs an action of RDS.
pub(crate) async fn rds(action: &str, call: Call<'_>) -> Answer {
    match action {
        "CreateDBInstance" => create::create(&call).await,
        "DescribeDBInstances" => describe::instances(&call).await,
        "ModifyDBInstance" => modify::modify(&call).await,
        "DeleteDBInstance" => delete::delete(&call).await,
        "RebootDBInstance" => power::reboot(&call).await,
        "StopDBInstance" => power::stop(&call).await,
        "StartDBInstance" => power::start(&call).await,
        "CreateDBSnapshot" => snapshots::create(&call).await,
        "DescribeDBSnapshots" => snapshots::describe(&call).await,
        "ModifyDBSnapshot" => snapshots::modify(&call).await,
        "DeleteDBSnapshot" => snapshots::delete(&call).await,
        "DescribeDBInstanceAutomatedBackups" => backups::describe(&call).await,
        "DeleteDBInstanceAutomatedBackup" => backups::delete(&call).await,
        "RestoreDBInstanceFromDBSnapshot" => restore::restore(&call).await,
        "AddTagsToResource" => tags::add(&call).await,
        "ListTagsForResource" => tags::list(&call).await,
        "RemoveTagsFromResource" => tags::remove(&call).await,
        "DescribeDBEngineVersions" => versions::describe(&call),
        "DescribeEvents" => events::describe(&call).await,
        "DescribeDBLogFiles" => logs::describe(&call).await,
        "DownloadDBLogFilePortion" => logs::download(&call).await,
        _ => Err(ApiError::unknown_action(action, "2014-10-31")),
    }
}

/// Performs an action of STS.
pub(crate) fn sts(action: &str, call: &Call<'_>) -> Answer {
    match action {
        "GetCallerIdentity" => Ok(Some(identity::caller(call))),
        "AssumeRole" => identity::assume_role(call),
        _ => Err(ApiError::unknown_action(action, "2011-06-15")),
    }
}
