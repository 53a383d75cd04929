//! The ports of the reconciler on the simulated cloud: what takes time and what goes wrong on the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rds_model::Account;
use reconciler::clock::Clock;
use reconciler::entropy::Entropy;
use reconciler::lease::Fence;
use reconciler::providers::aws::errors::{empty_answer, fenced, refused, timed_out};
use reconciler::providers::{
    Backup, Cloud, CloudError, Group, Identity, Instance, Maintenance, Offered, Quota, Request, Snapshot, Source,
    Upgrades,
};
use shared::rules::Engine;

use super::calls::Call;
use super::history::{By, CloudEvent, Record, Witness};
use super::shown;
use super::state::CloudState;
use super::timetables::Pace;
use super::view::View;
use crate::faults::{Fault, Faults, Port};

/// The slowest answer.
const SLOWEST: Duration = Duration::from_millis(400);
/// When the adapter gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// One account in one region, for all processes of a simulation.
pub(crate) struct SimulatedCloud {
    /// The account's number.
    pub(crate) account: String,
    pub(crate) region: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    faults: Arc<dyn Faults>,
    witness: Arc<dyn Witness>,
    state: Mutex<CloudState>,
}

/// One process's way into a cloud.
pub(super) struct Way {
    pub(super) cloud: Arc<SimulatedCloud>,
    pub(super) identity: Identity,
    pub(super) fence: Fence,
}

impl SimulatedCloud {
    /// A cloud without instances. Its time is the wall time of `clock`; how long an answer takes comes from `entropy`.
    pub(crate) fn new(
        account: Account,
        pace: Pace,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        faults: Arc<dyn Faults>,
        witness: Arc<dyn Witness>,
    ) -> Arc<Self> {
        let (id, region) = (account.id.clone(), account.region.clone());
        let state = Mutex::new(CloudState::new(account, pace, clock.wall()));
        Arc::new(Self { account: id, region, clock, entropy, faults, witness, state })
    }

    /// All of it, played up to now.
    pub(crate) fn state(&self) -> CloudState {
        self.act(|state, _, _| state.clone())
    }

    /// Makes it what it was.
    pub(crate) fn restore(&self, state: CloudState) {
        *self.lock() = state;
    }

    /// What everybody is shown now. It lets time pass: servers inside are what this says when it was called last.
    pub(crate) fn view(&self) -> Arc<View> {
        self.act(|state, _, _| state.view().clone())
    }

    /// When something changes next by itself.
    pub(crate) fn next_moment(&self) -> Option<Timestamp> {
        self.lock().next_moment()
    }

    /// The resource id of the instance that listens at `host`.
    pub(crate) fn resource_at(&self, host: &str) -> Option<String> {
        let view = self.view();
        let at = |instance: &&Instance| instance.endpoint.as_ref().is_some_and(|endpoint| endpoint.host == host);
        view.instances.iter().find(at)?.resource_id.clone()
    }

    /// Lets time pass, then does something, then tells of both.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut CloudState, Timestamp, &mut Vec<Record>) -> T) -> T {
        let (now, mut told) = (self.clock.wall(), Vec::new());
        let answer = {
            let mut state = self.lock();
            state.play(now, &mut told);
            act(&mut state, now, &mut told)
        };
        for record in &told {
            self.witness.happened(record);
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, CloudState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer takes its time, on the way there and on the way back: one who dies may have had an effect and not know.
    async fn travels(&self) {
        tokio::time::sleep(SLOWEST.mul_f64(self.entropy.fraction() / 2.0)).await;
    }

    /// A call arrives, and is answered unless the fault keeps the answer from the caller.
    async fn answer<T>(
        &self,
        action: &'static str,
        about: impl FnOnce() -> String,
        mutates: bool,
        serve: impl FnOnce(&mut CloudState, Timestamp, Fault, &mut Vec<Record>) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        self.travels().await;
        let fault = self.faults.of(Port::Cloud, action);
        let heard = !matches!(fault, Fault::Lost | Fault::AnswerLost | Fault::Late(_));
        let answer = self.act(|state, at, told| {
            let from = told.len();
            let answer = match fault {
                Fault::Throttled => Err(refused(action, "Throttling", "Rate exceeded")),
                Fault::Broken => Err(refused(action, "InternalFailure", "An internal error has occurred.")),
                Fault::Forbidden => Err(refused(action, "AccessDenied", "The operator is not authorized to do this.")),
                Fault::Lost => Err(timed_out(action)),
                Fault::None | Fault::AnswerLost | Fault::Late(_) | Fault::Stale | Fault::Partial | Fault::Outrun => {
                    serve(state, at, fault, told)
                }
            };
            let answer = if heard { answer } else { Err(timed_out(action)) };
            let code = answer.as_ref().err().map(|error| error.code.clone());
            let event = CloudEvent::Called { action, about: about(), mutates, code };
            told.insert(from, Record { at, by: By::Operator, sent: None, event });
            answer
        });
        if heard {
            self.travels().await;
        } else {
            tokio::time::sleep(PATIENCE).await;
        }
        answer
    }

    /// A question, answered by what is shown: now, a while ago, or in part.
    async fn read<T>(&self, action: &'static str, about: &str, read: impl FnOnce(&View) -> T) -> Result<T, CloudError> {
        self.answer(
            action,
            || about.to_owned(),
            false,
            |state, _, fault, _| {
                Ok(match fault {
                    Fault::Stale => read(state.earlier()),
                    Fault::Partial => read(&state.view().in_part()),
                    _ => read(state.view()),
                })
            },
        )
        .await
    }
}

#[async_trait]
impl Cloud for Way {
    async fn identity(&self) -> Result<Identity, CloudError> {
        self.cloud.read("GetCallerIdentity", "", |_| self.identity.clone()).await
    }

    async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
        self.cloud.read("DescribeDBInstances", "", |view| view.instances.clone()).await
    }

    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError> {
        let read = |view: &View| view.manual_snapshots_of(identifier).cloned().collect();
        self.cloud.read("DescribeDBSnapshots", identifier, read).await
    }

    async fn snapshot_quota(&self) -> Result<Quota, CloudError> {
        let action = "DescribeAccountAttributes";
        let serve = |state: &mut CloudState, _, _, _: &mut Vec<Record>| {
            state.snapshot_quota().ok_or_else(|| empty_answer(action, ""))
        };
        self.cloud.answer(action, String::new, false, serve).await
    }

    async fn backups(&self, source: &Source) -> Result<Vec<Backup>, CloudError> {
        let (action, name) = match source {
            Source::Snapshot(name) => ("DescribeDBSnapshots", name),
            Source::Instance(name) => ("DescribeDBInstanceAutomatedBackups", name),
        };
        let serve = |state: &mut CloudState, now, _, _: &mut Vec<Record>| Ok(state.backups(source, now));
        self.cloud.answer(action, || name.clone(), false, serve).await
    }

    async fn upgrades(&self, _: Engine, version: &str, identifier: &str) -> Result<Upgrades, CloudError> {
        // The checks of these servers never find anything.
        let read = |_: &View| Upgrades { targets: shown::upgrades(version), report: None };
        self.cloud.read("DescribeDBEngineVersions", identifier, read).await
    }

    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError> {
        let action = "DescribeDBInstances";
        let serve = |state: &mut CloudState, _, fault, _: &mut Vec<Record>| match fault {
            Fault::Partial => Err(empty_answer(action, identifier)),
            Fault::Stale => Ok(state.earlier().named(identifier).cloned()),
            _ => Ok(state.view().named(identifier).cloned()),
        };
        self.cloud.answer(action, || identifier.to_owned(), false, serve).await
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CloudError> {
        let serve = |state: &mut CloudState, _, _, _: &mut Vec<Record>| Ok(state.group(name));
        self.cloud.answer("DescribeDBParameterGroups", || name.to_owned(), false, serve).await
    }

    async fn groups(&self) -> Result<Vec<String>, CloudError> {
        let serve = |state: &mut CloudState, _, _, _: &mut Vec<Record>| Ok(state.groups());
        self.cloud.answer("DescribeDBParameterGroups", String::new, false, serve).await
    }

    async fn parameters(&self, family: &str) -> Result<Offered, CloudError> {
        let action = "DescribeEngineDefaultParameters";
        let serve = |_: &mut CloudState, _, _, _: &mut Vec<Record>| {
            CloudState::parameters(family).map_err(|error| refused(action, &error.code, &error.message))
        };
        self.cloud.answer(action, || family.to_owned(), false, serve).await
    }

    async fn maintenance(&self) -> Result<BTreeMap<String, Vec<Maintenance>>, CloudError> {
        let serve = |state: &mut CloudState, now, _, _: &mut Vec<Record>| Ok(state.maintenance(now));
        self.cloud.answer("DescribePendingMaintenanceActions", String::new, false, serve).await
    }

    async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
        let call = Call::of(request);
        let action = call.action.name();
        self.fence.check().map_err(|old| fenced(action, old))?;
        let serve = |state: &mut CloudState, now: Timestamp, fault, told: &mut Vec<Record>| {
            if let Fault::Late(by) = fault {
                // As late as a clock can say, where that is too late for it.
                let wait = SignedDuration::try_from(PATIENCE + by).unwrap_or(SignedDuration::MAX);
                state.come_late(now, now.checked_add(wait).unwrap_or(Timestamp::MAX), call.clone());
                return Ok(());
            }
            let answer = state.perform(&call, now, By::Operator, told);
            answer.map_err(|error| refused(action, &error.code, &error.message))
        };
        self.cloud.answer(action, || request.to_string(), true, serve).await
    }
}
