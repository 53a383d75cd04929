//! The two sides of the conversation: the local RDS, and the cloud of the simulation.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use jiff::{SignedDuration, Timestamp};
use rds_model::{Account, Quotas, Timetable};
use reconciler::clock::{Clock, Moment};
use reconciler::entropy::Entropy;
use reconciler::lease::Fence;
use reconciler::metrics::CloudCalls;
use reconciler::providers::aws::{Aws, convert};
use reconciler::providers::{Cloud, Connector as _, Instance, ProviderConfig};
use serde_json::json;

use crate::cloud::connector::CloudConnector;
use crate::cloud::history::Journal;
use crate::cloud::port::SimulatedCloud;
use crate::cloud::timetables::Pace;
use crate::faults::Peace;
use crate::support;

pub(crate) const GROUP: &str = "sg-0123456789abcdef0";
pub(crate) const SUBNETS: &str = "databases";
const QUOTAS: Quotas = Quotas { instances: Some(1), manual_snapshots: 2, retained_backups: 40, parameter_groups: 50 };

/// A clock that is set by hand.
#[derive(Debug)]
pub(crate) struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn wall(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn now(&self) -> Moment {
        Moment::START
    }
}

/// Answers come at once.
#[derive(Debug)]
struct AtOnce;

impl Entropy for AtOnce {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// The server, or what stands for it.
pub(crate) enum Side {
    Local { server: support::Cloud, port: Arc<dyn Cloud> },
    Simulated { cloud: Arc<SimulatedCloud>, clock: Arc<Hand>, port: Arc<dyn Cloud> },
}

impl Side {
    pub(crate) async fn local() -> Self {
        let server = support::Cloud::start_with(|options| {
            options.time_scale = 0.005;
            options.storage_cooldown_scale = Some(1.0);
            options.instance_quota = QUOTAS.instances;
            options.snapshot_quota = QUOTAS.manual_snapshots;
            options.security_groups = vec![GROUP.into()];
            options.subnet_groups = vec![SUBNETS.into()];
        })
        .await;
        let config = aws_types::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKLOCAL", "secret", None, None, "")))
            .endpoint_url(server.server.endpoint())
            .build();
        let port = Arc::new(Aws::new(&config, CloudCalls::default(), Fence::open()));
        Self::Local { server, port }
    }

    pub(crate) async fn simulated() -> Self {
        let account = Account {
            security_groups: vec![GROUP.into()],
            subnet_groups: vec![SUBNETS.into()],
            quotas: QUOTAS,
            ..Account::new("000000000000", "eu-central-1", Timetable::scaled(1.0, 1.0))
        };
        let clock = Arc::new(Hand(Mutex::new(Timestamp::now())));
        let journal = Arc::new(Journal::default());
        let cloud =
            SimulatedCloud::new(account, Pace::Average, clock.clone(), Arc::new(AtOnce), Arc::new(Peace), journal);
        let connector = CloudConnector::new(vec![cloud.clone()], Fence::open());
        let port = connector.connect(&ProviderConfig::default()).await.unwrap().cloud;
        Self::Simulated { cloud, clock, port }
    }

    pub(crate) fn port(&self) -> &dyn Cloud {
        match self {
            Self::Local { port, .. } | Self::Simulated { port, .. } => port.as_ref(),
        }
    }

    /// Lets some of its time pass.
    pub(crate) async fn passes(&self) {
        match self {
            Self::Local { .. } => tokio::time::sleep(Duration::from_millis(20)).await,
            Self::Simulated { clock, .. } => *clock.0.lock().unwrap() += SignedDuration::from_secs(5),
        }
    }

    /// The instance, past the adapter's limit on calls.
    pub(crate) async fn seen(&self, identifier: &str) -> Option<Instance> {
        match self {
            Self::Local { server, .. } => Box::pin(support::instance(&server.rds, identifier))
                .await
                .ok()
                .and_then(|found| convert::instance(&found)),
            Self::Simulated { port, .. } => port.look(identifier).await.unwrap(),
        }
    }

    /// Somebody makes a snapshot.
    pub(crate) async fn make_snapshot(&self, identifier: &str, snapshot: &str) {
        match self {
            Self::Local { server, .. } => {
                let call = server.rds.create_db_snapshot().db_instance_identifier(identifier);
                Box::pin(call.db_snapshot_identifier(snapshot).send()).await.map(drop).unwrap();
            }
            Self::Simulated { cloud, .. } => cloud.make_snapshot(identifier, snapshot).unwrap(),
        }
    }

    /// RDS is going to upgrade its engine by itself, in far days.
    pub(crate) async fn require_upgrade(&self, identifier: &str) {
        match self {
            Self::Local { server, .. } => {
                let far = Timestamp::now() + SignedDuration::from_hours(24 * 60);
                let upgrade = json!({"action": "db-upgrade", "auto_applied_after": far});
                server.order_fault(json!({"instance": identifier, "maintenance": upgrade})).await;
            }
            Self::Simulated { cloud, .. } => cloud.require_upgrade(identifier).unwrap(),
        }
    }

    /// Somebody stops it.
    pub(crate) async fn stop(&self, identifier: &str) {
        match self {
            Self::Local { server, .. } => {
                let call = server.rds.stop_db_instance().db_instance_identifier(identifier);
                Box::pin(call.send()).await.map(drop).unwrap();
            }
            Self::Simulated { cloud, .. } => cloud.stop(identifier).unwrap(),
        }
    }
}
