//! Everything that a process of the operator meets: Kubernetes, the cloud and the servers in it, under one clock, one chance and one history.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use rds_model::{Account, Timetable};
use reconciler::engine::Server;
use reconciler::entropy::Entropy;
use reconciler::lease::Fence;
use reconciler::providers::Connector;

use crate::chance::{Seeded, Time};
use crate::cloud::connector::CloudConnector;
use crate::cloud::port::SimulatedCloud;
use crate::cloud::timetables::Pace;
use crate::cluster::Kubernetes;
use crate::gate::Gate;
use crate::gated::Gated;
use crate::history::History;
use crate::mutants::Mutant;
use crate::server::SqlServers;
use crate::weather::Weather;
use crate::witness::{Ground, Hosts};

/// The name of the cluster.
pub(crate) const CLUSTER: &str = "simulated";
/// The account's number.
pub(crate) const ACCOUNT: &str = "000000000000";
/// The region of the environment, and another one.
pub(crate) const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];

pub(crate) struct World {
    pub(crate) time: Time,
    pub(crate) history: Arc<History>,
    pub(crate) chance: Arc<dyn Entropy>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) kubernetes: Arc<Kubernetes>,
    pub(crate) clouds: Vec<Arc<SimulatedCloud>>,
    pub(crate) servers: SqlServers,
    /// Effects that processes have begun.
    pub(crate) effects: Arc<AtomicU64>,
    /// Passes that they have begun.
    pub(crate) passes: AtomicU64,
    /// What the processes are.
    pub(crate) mutant: &'static Mutant,
}

impl World {
    /// A world in which nothing has happened.
    pub(crate) fn new(seed: u64, mutant: &'static Mutant) -> Arc<Self> {
        Self::with(Time::begin(), Pace::Seeded(seed), Arc::new(Seeded::new(seed)), mutant)
    }

    /// The same at another time, and with another chance.
    pub(crate) fn with(time: Time, pace: Pace, chance: Arc<dyn Entropy>, mutant: &'static Mutant) -> Arc<Self> {
        let history = Arc::new(History::begin(time));
        let weather = Arc::new(Weather::fair(chance.clone()));
        let kubernetes = Arc::new(Kubernetes::new(time, history.clone()));
        let ground = Arc::new(Ground {
            history: history.clone(),
            kubernetes: kubernetes.clone(),
            clouds: OnceLock::new(),
            servers: OnceLock::new(),
        });
        let cloud = |region: &&str| {
            let account = Account::new(ACCOUNT, *region, Timetable::scaled(1.0, 1.0));
            let clock = Arc::new(time);
            SimulatedCloud::new(account, pace, clock, chance.clone(), weather.clone(), ground.clone())
        };
        let clouds: Vec<_> = REGIONS.iter().map(cloud).collect();
        let hosts = Arc::new(Hosts(clouds.clone()));
        let servers = SqlServers::new(time, chance.clone(), weather.clone(), hosts, ground.clone());
        ground.join(&clouds, &servers);
        let (effects, passes) = (Arc::default(), AtomicU64::default());
        Arc::new(Self { time, history, chance, weather, kubernetes, clouds, servers, effects, passes, mutant })
    }

    /// The cloud as a process reaches it.
    pub(crate) fn connector(&self, gate: &Arc<Gate>, fence: &Fence) -> Box<dyn Connector> {
        let inner = CloudConnector::new(self.clouds.clone(), fence.clone());
        Box::new(Gated { inner, gate: gate.clone() })
    }

    /// The servers as a process reaches them.
    pub(crate) fn server(&self, gate: &Arc<Gate>) -> Arc<dyn Server> {
        Arc::new(Gated { inner: self.servers.clone(), gate: gate.clone() })
    }

    /// The instance of this resource id, as it is shown.
    pub(crate) fn instance(&self, resource_id: &str) -> Option<reconciler::providers::Instance> {
        self.clouds.iter().find_map(|cloud| cloud.view().by_resource(resource_id).cloned())
    }
}
