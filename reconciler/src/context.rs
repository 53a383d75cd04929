//! What every pass works with.

use std::sync::{Arc, OnceLock};

use kube::core::DeserializeGuard;
use shared::api::RDSDatabase;
use shared::rules::DefaultVersions;

use crate::authorities::Authorities;
use crate::clock::{Clock, Moment};
use crate::cluster::Cluster;
use crate::engine::Servers;
use crate::entropy::Entropy;
use crate::lease::Fence;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::plan::{Plan, World};
use crate::providers::accounts::Accounts;
use crate::renewals::Renewals;
use crate::subject::Subject;
use crate::turns::Turns;
use crate::views::Views;

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

/// What decides: from what is wanted and what was observed to what comes next. It is pure, and a value, so that a simulation can prove that
/// it would notice another decision than [`crate::plan::plan`]'s.
pub type Planner = fn(&Subject, &World, Moment) -> Plan;

/// The ports, the memory and the settings.
pub struct Context {
    /// What decides.
    pub plan: Planner,
    /// Kubernetes.
    pub cluster: Arc<dyn Cluster>,
    /// The ways into the cloud.
    pub accounts: Arc<Accounts>,
    /// The servers inside the instances, by engine.
    pub servers: Servers,
    /// Whom applications are told to trust, by region.
    pub authorities: Arc<Authorities>,
    /// Whose turn it is to visit a database.
    pub turns: Turns,
    /// Whose turn it is to renew Secrets.
    pub renewals: Renewals,
    /// Whether this process may still act.
    pub fence: Fence,
    /// What the watches have seen.
    pub views: Arc<dyn Views>,
    /// What is remembered of the objects.
    pub memory: Memory,
    /// When this process began to act, as the leader or alone: what it saw before may miss another's last effects.
    pub acting_since: Arc<OnceLock<Moment>>,
    /// What is counted.
    pub metrics: Metrics,
    /// What the operator was started with.
    pub settings: Settings,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
    /// Passwords and jitter.
    pub entropy: Arc<dyn Entropy>,
}

impl Context {
    /// Now, as holds and back-offs count it.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }
}
