//! The actions of the API: RDS's as the model has them, told in XML, and those of this server alone.

mod backups;
mod events;
mod identity;
mod logs;
mod maintenance;
mod offers;
mod parameters;
mod render;
mod versions;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use rds_model::{ApiError, Instance, Params, State, actions};

use crate::copies;
use crate::fresh::Drawn;
use crate::leftovers;
use crate::service::Service;
use crate::store::StoreError;
use crate::wire::Node;
use crate::wire::auth::Caller;
use crate::wire::error::{internal, unknown_action};

/// One authenticated call.
#[derive(Clone, Copy, Debug)]
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
        internal(&error)
    }
}

/// Performs an action of RDS.
pub(crate) async fn rds(action: &str, call: Call<'_>) -> Answer {
    let Call { service, params, now, .. } = call;
    let account = &service.account;
    match action {
        "CreateDBInstance" => {
            call.begin(|state| actions::create_instance(account, state, params, now, &mut Drawn)).await
        }
        "DescribeDBInstances" => {
            call.look(|state| {
                let page = actions::describe_instances(account, state, params)?;
                Ok(render::page("DBInstances", &page, |instance| render::instance(&call, instance)))
            })
            .await
        }
        "ModifyDBInstance" => {
            call.begin(|state| actions::modify_instance(account, state, params, now, &mut Drawn)).await
        }
        "DeleteDBInstance" => call.begin(|state| actions::delete_instance(account, state, params, now)).await,
        "RebootDBInstance" => call.begin(|state| actions::reboot_instance(account, state, params, now)).await,
        "StopDBInstance" => call.begin(|state| actions::stop_instance(account, state, params, now)).await,
        "StartDBInstance" => call.begin(|state| actions::start_instance(account, state, params, now)).await,
        "RestoreDBInstanceFromDBSnapshot" => {
            call.begin(|state| actions::restore_instance(account, state, params, now, &mut Drawn)).await
        }
        "CreateDBSnapshot" => {
            let snapshot = call.change(|state| actions::create_snapshot(account, state, params, now)).await?;
            service.attend(&snapshot.source.resource_id).await;
            Ok(Some(vec![render::snapshot(&call, &snapshot)]))
        }
        "DescribeDBSnapshots" => {
            call.look(|state| {
                let page = actions::describe_snapshots(account, state, params, now)?;
                Ok(render::page("DBSnapshots", &page, |snapshot| render::snapshot(&call, snapshot)))
            })
            .await
        }
        "CopyDBSnapshot" => {
            let copy = call.change(|state| actions::copy_snapshot(account, state, params, now)).await?;
            copies::begin(service, &copy);
            Ok(Some(vec![render::snapshot(&call, &copy)]))
        }
        "RestoreDBInstanceToPointInTime" => {
            call.begin(|state| actions::restore_to_point_in_time(account, state, params, now, &mut Drawn)).await
        }
        "CreateDBInstanceReadReplica" => {
            call.begin(|state| actions::create_read_replica(account, state, params, now, &mut Drawn)).await
        }
        "ModifyDBSnapshot" => {
            call.look(|state| Ok(vec![render::snapshot(&call, actions::modify_snapshot(state, params)?)])).await
        }
        "DeleteDBSnapshot" => {
            let snapshot = call.change(|state| actions::delete_snapshot(state, params, now)).await?;
            leftovers::clear(service).await;
            Ok(Some(vec![render::deleted_snapshot(&call, &snapshot)]))
        }
        "DescribeDBInstanceAutomatedBackups" => {
            call.look(|state| {
                let page = actions::describe_backups(account, state, params, now)?;
                Ok(render::page("DBInstanceAutomatedBackups", &page, |backup| backups::backup(&call, backup)))
            })
            .await
        }
        "DeleteDBInstanceAutomatedBackup" => {
            let backup = call.change(|state| actions::delete_backup(account, state, params, now)).await?;
            leftovers::clear(service).await;
            Ok(Some(vec![backups::backup(&call, &backup)]))
        }
        "AddTagsToResource" => {
            call.change(|state| actions::add_tags(account, state, params)).await?;
            Ok(None)
        }
        "ListTagsForResource" => {
            call.look(|state| Ok(vec![render::tag_list(actions::list_tags(account, state, params)?)])).await
        }
        "RemoveTagsFromResource" => {
            call.change(|state| actions::remove_tags(account, state, params)).await?;
            Ok(None)
        }
        "DescribeDBEngineVersions" => {
            let page = actions::describe_versions(params)?;
            Ok(Some(render::page("DBEngineVersions", &page, |(version, status)| versions::version(*version, *status))))
        }
        "DescribeOrderableDBInstanceOptions" => {
            let page = actions::describe_orderable(params)?;
            Ok(Some(render::page("OrderableDBInstanceOptions", &page, |option| offers::orderable(&call, option))))
        }
        "DescribeValidDBInstanceModifications" => {
            call.look(|state| {
                let valid = actions::describe_valid_modifications(account, state, params, now)?;
                Ok(offers::valid_modifications(&valid))
            })
            .await
        }
        "DescribeAccountAttributes" => {
            let others = service.snapshots_of_others.load(Ordering::Relaxed).into();
            call.look(|state| {
                Ok(offers::account_attributes(&actions::describe_account_attributes(account, state), others))
            })
            .await
        }
        "DescribeEvents" => {
            call.look(|state| {
                let page = actions::describe_events(state, params, now)?;
                Ok(render::page("Events", &page, |event| events::event(&call, event)))
            })
            .await
        }
        "DescribePendingMaintenanceActions" => {
            call.look(|state| {
                let page = actions::describe_maintenance(account, state, params)?;
                Ok(render::page("PendingMaintenanceActions", &page, |found| maintenance::pending(&call, found)))
            })
            .await
        }
        "ApplyPendingMaintenanceAction" => {
            let instance = call.change(|state| actions::apply_maintenance(account, state, params, now)).await?;
            service.attend(&instance.resource_id).await;
            Ok(Some(vec![maintenance::pending(&call, &instance)]))
        }
        "DescribeDBLogFiles" => logs::describe(&call).await,
        "DownloadDBLogFilePortion" => logs::download(&call).await,
        _ => {
            let answer = parameters::perform(action, &call).await;
            answer.unwrap_or_else(|| Err(unknown_action(action, "2014-10-31")))
        }
    }
}

impl Call<'_> {
    /// Reads the state.
    async fn look(&self, look: impl FnOnce(&State) -> Result<Vec<Node>, ApiError>) -> Answer {
        self.service.store.read(look).await.map(Some)
    }

    /// Changes the state, and keeps it.
    async fn change<T>(&self, change: impl FnOnce(&mut State) -> Result<T, ApiError>) -> Result<T, ApiError> {
        self.service.store.update(change).await
    }

    /// Changes an instance, and has its worker do the work behind it.
    async fn begin(&self, change: impl FnOnce(&mut State) -> Result<Instance, ApiError>) -> Answer {
        let instance = self.change(change).await?;
        self.service.attend(&instance.resource_id).await;
        Ok(Some(vec![render::instance(self, &instance)]))
    }
}

/// Performs an action of STS.
pub(crate) fn sts(action: &str, call: &Call<'_>) -> Answer {
    match action {
        "GetCallerIdentity" => Ok(Some(identity::caller(call))),
        "AssumeRole" => identity::assume_role(call),
        _ => Err(unknown_action(action, "2011-06-15")),
    }
}
