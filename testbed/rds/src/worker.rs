//! One task for each instance: it does the real work behind what the API shows, in the order the timetable gives.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rds_model::{
    Activity, Change, EngineVersion, FailedUpgrade, Instance, PointInTime, State, Step, lifecycle, upgrade,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::leftovers;
use crate::postgres::{PostgresError, Postmaster, Recovery, discard, keep_as_snapshot};
use crate::service::Service;
use crate::store::StoreError;

/// How long to wait before work that failed is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// How often a creation is tried: a server may be killed under it, as a host of RDS may go.
const CREATIONS: u32 = 5;
/// The longest sleep, so that a clock that is set does not matter for long.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// Looks after one instance until it is gone or the service stops.
pub(crate) struct Worker {
    service: Arc<Service>,
    resource_id: String,
    wake: Arc<Notify>,
    postmaster: Option<Postmaster>,
    /// Times that the present creation failed in a row.
    failures: u32,
}

/// Why an advance ended early.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl WorkError {
    /// Whether trying again is of no use.
    fn is_final(&self) -> bool {
        matches!(self, Self::Postgres(PostgresError::EmptySnapshot(_)))
    }
}

impl Worker {
    pub(crate) fn new(service: Arc<Service>, resource_id: String, wake: Arc<Notify>) -> Self {
        Self { service, resource_id, wake, postmaster: None, failures: 0 }
    }

    /// Runs until the instance is gone or the service stops; its server is stopped in either case.
    pub(crate) async fn run(mut self) {
        let service = Arc::clone(&self.service);
        loop {
            let resource_id = &self.resource_id;
            let instance = service.store.read(|state| state.by_resource(resource_id).cloned()).await;
            let Some(instance) = instance else {
                self.stop_server().await;
                let resource_id = &self.resource_id;
                let retained = service.store.read(|state| state.retained.contains_key(resource_id)).await;
                if let Err(error) = discard(&service.env.layout, &self.resource_id, retained) {
                    tracing::warn!(%error, "the files of a deleted instance are left over");
                }
                leftovers::clear(&service).await;
                // A deletion promotes read replicas.
                service.wake_all().await;
                return;
            };
            let advanced = tokio::select! {
                advanced = self.advance(&instance) => advanced,
                () = service.stopping.cancelled() => break,
            };
            if let Err(error) = advanced {
                tracing::warn!(instance = instance.id, %error, "work on an instance failed");
                let creating = matches!(instance.phase.activity, Activity::Creating { .. });
                if creating {
                    self.stop_server().await;
                    self.failures += 1;
                }
                if !creating || self.failures >= CREATIONS || error.is_final() {
                    let reason = error.to_string();
                    let recorded = self.change(|state, id, now| lifecycle::failed(state, id, &reason, now)).await;
                    if let Err(error) = recorded {
                        tracing::error!(%error, "the state cannot be kept");
                    }
                }
                tokio::select! {
                    () = sleep(RETRY) => {}
                    () = service.stopping.cancelled() => break,
                }
            }
        }
        self.stop_server().await;
    }

    /// Takes the next step, or waits for it.
    async fn advance(&mut self, instance: &Instance) -> Result<(), WorkError> {
        if instance.wants_server() && self.postmaster.is_none() && self.service.engines {
            let running = self.as_running(instance);
            self.start(&running).await?;
        }
        let now = Timestamp::now();
        match self.service.account.times(instance).next(instance, now) {
            Step::Rest => self.sleep(LONGEST_SLEEP).await,
            Step::Wait(until) => {
                let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                self.sleep(left.min(LONGEST_SLEEP)).await;
            }
            Step::Work => {
                let (activity, began) = (&instance.phase.activity, Instant::now());
                let failure = self.work(instance).await?;
                let took = began.elapsed();
                tracing::debug!(instance = instance.id, activity = activity.name(), ?took, "work done");
                self.change(|state, id, now| match failure {
                    None => lifecycle::worked(state, id, activity, now),
                    Some(failure) => upgrade::failed(state, id, failure, now),
                })
                .await?;
            }
            Step::PublishFinalSnapshot => {
                self.change(lifecycle::publish_final_snapshot).await?;
            }
            Step::ApplyParameters => self.apply_parameters(instance).await?,
            Step::BeginPending => self.change(lifecycle::begin_pending).await?,
            Step::BackUp => {
                let account = &self.service.account;
                self.change(|state, id, now| lifecycle::begin_backup(account, state, id, now)).await?;
                leftovers::clear(&self.service).await;
            }
            Step::Finish => {
                self.change(lifecycle::finish).await?;
                // With backups their snapshots have been turned off.
                if matches!(&instance.phase.activity, Activity::Modifying { change } if change.backup_retention == Some(0))
                {
                    leftovers::clear(&self.service).await;
                }
            }
        }
        Ok(())
    }

    /// Gives the running server what its parameter group says and needs no restart.
    async fn apply_parameters(&self, instance: &Instance) -> Result<(), WorkError> {
        let applied = |state: &State| instance.parameters_applied_at_once(&state.parameter_groups);
        let mut changed = instance.clone();
        changed.running.values = self.service.store.read(applied).await;
        if let Some(postmaster) = &self.postmaster {
            self.service.env.reload(&changed, postmaster).await?;
        }
        let values = changed.running.values;
        Ok(self.change(|state, id, now| lifecycle::parameters_applied(state, id, values, now)).await?)
    }

    /// The instance as its server runs: with a change that has been made but is not shown yet.
    fn as_running(&self, instance: &Instance) -> Instance {
        let made = || match instance.major_upgrade() {
            _ if instance.failed_upgrade.is_some() || instance.ordered.drop_change.is_some() => false,
            // The data tell, also where their exchange was the last thing that was done.
            Some(target) => self.service.env.major_of_data(&self.resource_id) == Some(target.major),
            None => instance.phase.worked,
        };
        match &instance.phase.activity {
            Activity::Modifying { change } if made() => with(instance, change),
            _ => instance.clone(),
        }
    }

    /// The real work of an activity. Interrupted, it is done again from the beginning.
    async fn work(&mut self, instance: &Instance) -> Result<Option<FailedUpgrade>, WorkError> {
        let service = Arc::clone(&self.service);
        if !service.engines {
            return Ok(None);
        }
        let env = &service.env;
        match &instance.phase.activity {
            Activity::Creating { from_snapshot, point_in_time } => {
                self.stop_server().await;
                let recovery = match point_in_time {
                    Some(point) => Some(recovery(&service, point).await),
                    None => None,
                };
                let replicated = match &instance.replica_source {
                    Some(source) => service.store.read(|state| state.instances.get(source).cloned()).await,
                    None => None,
                };
                let slot = &mut self.postmaster;
                match from_snapshot {
                    None if replicated.is_some() => {
                        if let Some(source) = &replicated {
                            env.copy_running(source, instance).await?;
                        }
                        env.start(instance, slot).await?;
                    }
                    None => env.create(instance, slot).await?,
                    Some(snapshot) => env.restore(instance, snapshot, recovery.as_ref(), slot).await?,
                }
            }
            Activity::BackingUp { snapshot } => self.snapshot(instance, snapshot).await?,
            Activity::Modifying { change } => {
                if let Some(target) = instance.major_upgrade() {
                    return self.upgrade(instance, change, target).await;
                }
                let changed = with(instance, change);
                // The log is kept, or not, from a restart on [RDS User Guide, "Enabling automated backups"].
                let kept = (changed.backup_retention == 0) != (instance.backup_retention == 0);
                if (change.needs_restart() || kept) && instance.ordered.drop_change.is_none() {
                    self.restart(&changed).await?;
                }
            }
            Activity::ResettingCredentials { verifier } => {
                if let (Some(postmaster), None) = (&self.postmaster, &instance.ordered.drop_change) {
                    let master = &instance.master_username;
                    env.reset_master(postmaster, master, verifier).await?;
                }
            }
            Activity::Rebooting | Activity::Starting => self.restart(instance).await?,
            Activity::Stopping { snapshot } => {
                if let Some(snapshot) = snapshot {
                    self.snapshot(instance, snapshot).await?;
                }
                self.stop_for_long(instance).await;
            }
            Activity::Deleting { final_snapshot, .. } => {
                self.stop_for_long(instance).await;
                if let Some(snapshot) = final_snapshot
                    && !instance.ordered.fail_snapshot
                {
                    keep_as_snapshot(&env.layout, &self.resource_id, snapshot)?;
                }
            }
            Activity::Available | Activity::Stopped | Activity::Failed => {}
        }
        Ok(None)
    }

    /// An upgrade to another major version, or why there is none: the server runs as before then.
    async fn upgrade(
        &mut self,
        instance: &Instance,
        change: &Change,
        target: EngineVersion,
    ) -> Result<Option<FailedUpgrade>, WorkError> {
        let service = Arc::clone(&self.service);
        let env = &service.env;
        let mut upgraded = with(instance, change);
        service.store.read(|state| upgraded.load_parameters(&state.parameter_groups)).await;
        if env.major_of_data(&self.resource_id) != Some(target.major) {
            if let Some(postmaster) = &self.postmaster
                && let Some(reason) = env.check_upgrade(instance, target, postmaster).await?
            {
                return Ok(Some(FailedUpgrade::Refused(reason)));
            }
            let id = &self.resource_id;
            let begin = |state: &mut State| Ok(upgrade::begun(state, id, Timestamp::now()));
            let snapshot = service.store.update::<_, StoreError>(begin).await?;
            self.stop_server().await;
            if let Err(error) = env.upgrade(instance, &upgraded, snapshot.as_deref()).await {
                tracing::warn!(instance = instance.id, %error, "an upgrade failed");
                env.log_failed_upgrade(&self.resource_id, &error)?;
                self.start(instance).await?;
                return Ok(Some(FailedUpgrade::RolledBack));
            }
        }
        self.restart(&upgraded).await?;
        Ok(None)
    }

    /// Copies the running server's data, unless the snapshot was ordered to fail.
    async fn snapshot(&self, instance: &Instance, snapshot: &str) -> Result<(), PostgresError> {
        match &self.postmaster {
            Some(postmaster) if !instance.ordered.fail_snapshot => {
                self.service.env.snapshot(instance, postmaster, snapshot).await
            }
            _ => Ok(()),
        }
    }

    async fn restart(&mut self, instance: &Instance) -> Result<(), PostgresError> {
        self.stop_server().await;
        self.start(instance).await
    }

    /// A server that does not become ready is stopped again.
    async fn start(&mut self, instance: &Instance) -> Result<(), PostgresError> {
        let started = self.service.env.start(instance, &mut self.postmaster).await;
        if started.is_err() {
            self.stop_server().await;
        }
        started
    }

    /// Nothing is written after this until somebody starts it again.
    async fn stop_for_long(&mut self, instance: &Instance) {
        if self.postmaster.is_some() && instance.backup_retention > 0 {
            self.service.env.end_archive(instance).await;
        }
        self.stop_server().await;
    }

    async fn stop_server(&mut self) {
        if let Some(postmaster) = &mut self.postmaster {
            postmaster.stop().await;
            self.postmaster = None;
        }
    }

    /// Waits for a time, a change through the API, or the end of the server.
    async fn sleep(&mut self, longest: Duration) {
        let ended = async {
            match &mut self.postmaster {
                Some(postmaster) => postmaster.exited().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep(longest) => {}
            () = self.wake.notified() => {}
            status = ended => {
                tracing::warn!(resource_id = self.resource_id, ?status, "a PostgreSQL server ended by itself");
                self.postmaster = None;
                sleep(RETRY).await;
            }
        }
    }

    async fn change(&self, change: impl FnOnce(&mut State, &str, Timestamp)) -> Result<(), StoreError> {
        let id = &self.resource_id;
        self.service
            .store
            .update(|state| {
                change(state, id, Timestamp::now());
                Ok(())
            })
            .await
    }
}

/// Where the log of the source of a restore is, at this moment.
async fn recovery(service: &Service, point: &PointInTime) -> Recovery {
    let source = service.store.read(|state| state.by_resource(&point.resource_id).cloned()).await;
    let running = source.filter(Instance::wants_server).map(|source| match &source.phase.activity {
        Activity::Modifying { change } if source.phase.worked && source.major_upgrade().is_none() => {
            with(&source, change)
        }
        _ => source,
    });
    Recovery { running, resource_id: point.resource_id.clone(), at: point.at }
}

/// The instance as it will be after the change, also by name: its certificate has the new one.
fn with(instance: &Instance, change: &Change) -> Instance {
    let mut changed = instance.clone();
    changed.apply(change, Timestamp::now());
    if let Some(id) = &change.new_id {
        changed.id.clone_from(id);
    }
    changed
}
