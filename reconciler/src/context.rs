//! What every pass works with.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::Store;
use shared::api::RDSDatabase;
use shared::rules::DefaultVersions;
use tokio::time::Instant;

use crate::authorities::Authorities;
use crate::cluster::Cluster;
use crate::engine::Engine;
use crate::lease::Fence;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::plan::Moment;
use crate::providers::accounts::Accounts;
use crate::renewals::Renewals;
use crate::subject::GuardedClass;
use crate::turns::Turns;

/// Objects as they are watched: one that cannot be decoded does not stop the others.
pub type Guarded = DeserializeGuard<RDSDatabase>;

/// What the operator was started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of this cluster in ownership tags and identifiers.
    pub cluster: String,
    /// The namespace of the aliases; `None` keeps none.
    pub service_namespace: Option<String>,
    /// Which namespaces' objects get an alias.
    pub alias_namespaces: Option<kube::core::Selector>,
    /// Nothing is born in the built-in class.
    pub require_class: bool,
    /// Endpoints outside these domains are not believed.
    pub endpoint_suffixes: Vec<String>,
    /// The versions of objects that name none and have no instance.
    pub default_versions: DefaultVersions,
}

/// The ports, the memory and the settings.
pub struct Context {
    /// Kubernetes.
    pub cluster: Arc<dyn Cluster>,
    /// The ways into the cloud.
    pub accounts: Arc<Accounts>,
    /// SQL.
    pub engine: Arc<dyn Engine>,
    /// Whom applications are told to trust, by region.
    pub authorities: Arc<Authorities>,
    /// Whose turn it is to visit a database.
    pub turns: Turns,
    /// Whose turn it is to renew Secrets.
    pub renewals: Renewals,
    /// Whether this process may still act.
    pub fence: Fence,
    /// The objects, as the watch has them: enough to see that one is being deleted, never what decides on one.
    pub objects: Store<Guarded>,
    /// The classes, as the watch has them: a class is policy, not truth, and may be a moment old.
    pub classes: Store<GuardedClass>,
    /// What is remembered of the objects.
    pub memory: Memory,
    /// When this process began to act, as the leader or alone: what it saw before may miss another's last effects.
    pub acting_since: Arc<OnceLock<Instant>>,
    /// What is counted.
    pub metrics: Metrics,
    /// What the operator was started with.
    pub settings: Settings,
    /// What is told to people of time, so that tests can set it. No hold depends on it.
    pub clock: fn() -> Timestamp,
    /// When the process was started: holds and back-offs are counted from here.
    pub started: Instant,
}

impl Context {
    /// Now, as holds and back-offs count it.
    pub fn now(&self) -> Moment {
        self.at(Instant::now())
    }

    /// A moment as holds and back-offs count it.
    pub fn at(&self, instant: Instant) -> Moment {
        Moment::START + instant.saturating_duration_since(self.started)
    }
}
