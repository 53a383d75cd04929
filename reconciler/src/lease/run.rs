//! Reads, writes and keeps time for [`evaluate`].

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use thiserror::Error;

use super::evaluate::{Decision, Observed, evaluate};
use super::fence::Fence;
use crate::clock::{Clock, Moment};

/// Kubernetes' own components use 15, 10 and 2 seconds.
const LEASE_DURATION: Duration = Duration::from_secs(15);
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(2);

/// Why a leader must stop.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Another replica has taken it.
    #[error("the Lease is held by {0} now")]
    Lost(String),
    /// It could not be renewed in time: another replica may take it at any moment.
    #[error("the Lease could not be renewed in time: {0}")]
    NotRenewed(String),
}

/// How a round ended.
enum Round {
    /// We hold the Lease.
    Ours,
    /// Another replica holds it.
    HeldBy(String),
    /// Somebody wrote the Lease at the same moment: the next round tells who.
    Raced,
}

/// One replica's part in the election.
pub(crate) struct Election {
    api: Api<Lease>,
    name: String,
    me: String,
    seen: Option<(Option<String>, Moment)>,
    fence: Fence,
    clock: Arc<dyn Clock>,
}

impl Election {
    /// A candidate named `me` for the Lease `name`. Each renewal is told to `fence`.
    pub(crate) fn new(
        api: Api<Lease>,
        name: impl Into<String>,
        me: impl Into<String>,
        fence: Fence,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { api, name: name.into(), me: me.into(), seen: None, fence, clock }
    }

    /// Completes when this replica is the leader.
    pub(crate) async fn acquire(&mut self) {
        loop {
            match self.round().await {
                Ok(Round::Ours) => return,
                Ok(Round::HeldBy(holder)) => tracing::debug!(holder, "another replica leads"),
                Ok(Round::Raced) => tracing::debug!("another replica wrote the Lease"),
                Err(error) => tracing::warn!(%error, "the Lease could not be read or written"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Renews the Lease until it is lost.
    pub(crate) async fn hold(&mut self) -> LeaseError {
        let mut renewed = self.clock.now();
        loop {
            tokio::time::sleep(RETRY).await;
            let last = match tokio::time::timeout(RETRY * 2, self.round()).await {
                Ok(Ok(Round::Ours)) => {
                    renewed = self.clock.now();
                    continue;
                }
                Ok(Ok(Round::HeldBy(holder))) => return LeaseError::Lost(holder),
                Ok(Ok(Round::Raced)) => "another write came first".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            if self.clock.now().since(renewed) > RENEW_DEADLINE {
                return LeaseError::NotRenewed(last);
            }
        }
    }

    /// Gives the Lease back, so that the next replica need not wait for it to expire.
    pub(crate) async fn release(&self) {
        let Ok(Some(mut lease)) = self.api.get_opt(&self.name).await else {
            return;
        };
        let Some(spec) = lease.spec.as_mut().filter(|spec| spec.holder_identity.as_deref() == Some(&self.me)) else {
            return;
        };
        spec.holder_identity = None;
        if let Err(error) = self.api.replace(&self.name, &PostParams::default(), &lease).await {
            tracing::warn!(%error, "the Lease could not be released");
        }
    }

    async fn round(&mut self) -> Result<Round, kube::Error> {
        let asked = self.clock.now();
        let round = self.write().await?;
        if matches!(round, Round::Ours) {
            self.fence.renewed(asked);
        }
        Ok(round)
    }

    async fn write(&mut self) -> Result<Round, kube::Error> {
        let lease = self.api.get_opt(&self.name).await?;
        let version = lease.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
        let since = match &self.seen {
            Some((seen, since)) if *seen == version => *since,
            _ => self.clock.now(),
        };
        self.seen = Some((version, since));
        let spec = lease.as_ref().and_then(|lease| lease.spec.as_ref());
        let observed = Observed { spec, unchanged_for: self.clock.now().since(since) };
        match evaluate(observed, &self.me, LEASE_DURATION) {
            Decision::Wait => Ok(Round::HeldBy(spec.and_then(|spec| spec.holder_identity.clone()).unwrap_or_default())),
            Decision::Create => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(self.claim(None)) };
                self.settle(self.api.create(&PostParams::default(), &lease).await)
            }
            Decision::Renew | Decision::Take => {
                let claim = self.claim(spec);
                let mut lease = lease.unwrap_or_default();
                lease.spec = Some(claim);
                // The resourceVersion that was read goes along: of two that take it at once, one is refused.
                self.settle(self.api.replace(&self.name, &PostParams::default(), &lease).await)
            }
        }
    }

    fn claim(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(self.clock.wall());
        let ours = before.filter(|spec| spec.holder_identity.as_deref() == Some(&self.me));
        let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: ours.map_or(Some(now.clone()), |spec| spec.acquire_time.clone()),
            renew_time: Some(now),
            lease_transitions: Some(if ours.is_some() { transitions } else { transitions + 1 }),
            ..LeaseSpec::default()
        }
    }

    fn settle(&mut self, written: Result<Lease, kube::Error>) -> Result<Round, kube::Error> {
        match written {
            Ok(lease) => {
                self.seen = Some((lease.metadata.resource_version, self.clock.now()));
                Ok(Round::Ours)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Round::Raced),
            Err(error) => Err(error),
        }
    }
}
