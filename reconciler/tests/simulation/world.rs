//! Everything that a process of the operator meets: Kubernetes, the cloud and the servers in it, under one clock, one chance and one history.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use reconciler::engine::Server;
use reconciler::entropy::Entropy;
use reconciler::providers::Connector;

use crate::chance::{Seeded, Time};
use crate::cluster::Kubernetes;
use crate::gate::Gate;
use crate::history::History;
use crate::standin::{Fine, Gated, OneAccount};
use crate::weather::Weather;

/// The name of the cluster.
pub(crate) const CLUSTER: &str = "simulated";
/// The domain of the cloud's endpoints.
pub(crate) const DOMAIN: &str = "rds.amazonaws.com";

pub(crate) struct World {
    pub(crate) time: Time,
    pub(crate) history: Arc<History>,
    pub(crate) chance: Arc<dyn Entropy>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) kubernetes: Arc<Kubernetes>,
    pub(crate) cloud: Arc<OneAccount>,
    /// Effects that processes have begun.
    pub(crate) effects: Arc<AtomicU64>,
    /// Passes that they have begun.
    pub(crate) passes: AtomicU64,
}

impl World {
    /// A world in which nothing has happened.
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        let time = Time::begin();
        let history = Arc::new(History::begin(time));
        let chance: Arc<dyn Entropy> = Arc::new(Seeded::new(seed));
        Arc::new(Self {
            time,
            kubernetes: Arc::new(Kubernetes::new(time, history.clone())),
            weather: Arc::new(Weather::fair(chance.clone())),
            cloud: Arc::new(OneAccount::new(time, history.clone())),
            history,
            chance,
            effects: Arc::default(),
            passes: AtomicU64::default(),
        })
    }

    /// The cloud as a process reaches it.
    pub(crate) fn connector(&self, gate: &Arc<Gate>) -> Box<dyn Connector> {
        Box::new(Gated { inner: self.cloud.clone(), gate: gate.clone() })
    }
}

/// The servers as a process reaches them.
pub(crate) fn server(gate: &Arc<Gate>) -> Arc<dyn Server> {
    Arc::new(Fine { gate: gate.clone() })
}
