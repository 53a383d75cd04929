//! What every pass works with.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use kube::runtime::reflector::Store;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::engine::Engine;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::providers::accounts::Accounts;
use crate::target::GuardedClass;

/// What the operator was started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of this cluster in ownership tags and identifiers.
    pub cluster: String,
    /// The namespace of the aliases; `None` keeps none.
    pub service_namespace: Option<String>,
    /// Which namespaces' objects get an alias.
    pub alias_namespaces: Option<kube::core::Selector>,
    /// Endpoints outside these domains are not believed.
    pub endpoint_suffixes: Vec<String>,
}

/// The ports, the memory and the settings.
pub struct Context {
    /// Kubernetes.
    pub cluster: Arc<dyn Cluster>,
    /// The ways into the cloud.
    pub accounts: Arc<Accounts>,
    /// SQL.
    pub engine: Arc<dyn Engine>,
    /// The classes, as the watch has them: a class is policy, not truth, and may be a moment old.
    pub classes: Store<GuardedClass>,
    /// What is remembered of the objects.
    pub memory: Memory,
    /// When this process began to act, as the leader or alone: what it saw before may miss another's last effects.
    pub acting_since: Arc<OnceLock<(Instant, Timestamp)>>,
    /// What is counted.
    pub metrics: Metrics,
    /// What the operator was started with.
    pub settings: Settings,
    /// The time, so that tests can set it.
    pub clock: fn() -> Timestamp,
}
