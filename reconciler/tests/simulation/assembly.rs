//! The core over simulated ports, put together: as it is shipped, or with one fault in it.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use prometheus_client::registry::Registry;
use reconciler::authorities::Authorities;
use reconciler::clock::Clock;
use reconciler::cluster::Cluster;
use reconciler::context::{Context, Settings};
use reconciler::engine::{Server, Servers};
use reconciler::entropy::Entropy;
use reconciler::lease::Fence;
use reconciler::memory::Memory;
use reconciler::metrics::Metrics;
use reconciler::providers::accounts::Accounts;
use reconciler::providers::sweep::Change;
use reconciler::providers::{Cloud, ConnectError, Connected, Connector, ProviderConfig};
use reconciler::renewals::Renewals;
use reconciler::turns::{Key, Turns};
use shared::rules::{DefaultVersions, Engine};
use tokio::sync::mpsc;

use crate::cloud::shown::DOMAIN;
use crate::mutants::Mutant;
use crate::watching::{ALIASES, Watching};
use crate::world::CLUSTER;

/// What one process reaches.
pub(crate) struct Ports {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) connector: Box<dyn Connector>,
    pub(crate) server: Arc<dyn Server>,
    pub(crate) watching: Arc<Watching>,
    pub(crate) fence: Fence,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// A core that remembers nothing and acts from now on.
pub(crate) struct Assembly {
    pub(crate) context: Context,
    /// To be polled with its passes. They never end while the process lives.
    pub(crate) sweeps: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Whose turn has come.
    pub(crate) called: mpsc::UnboundedReceiver<Key>,
    /// What the sweeps have seen.
    pub(crate) changes: mpsc::Receiver<Change>,
}

impl Assembly {
    pub(crate) fn new(mutant: &Mutant, ports: Ports) -> Self {
        let Ports { cluster, connector, server, watching, fence, clock, entropy } = ports;
        fence.renewed(clock.now());
        let (changed, changes) = mpsc::channel(64);
        let connector = Box::new(Altered { inner: connector, alter: mutant.cloud });
        let (accounts, sweeps) = Accounts::new(connector, CLUSTER, changed, clock.clone());
        let (calls, called) = mpsc::unbounded_channel();
        let context = Context {
            plan: mutant.plan,
            cluster,
            accounts,
            servers: Servers::default().with(Engine::Postgresql, server),
            authorities: Arc::new(Authorities::default()),
            turns: Turns::new(calls, clock.clone()),
            renewals: Renewals::default(),
            fence,
            views: watching,
            memory: Memory::default(),
            acting_since: Arc::new(OnceLock::from(clock.now())),
            metrics: Metrics::register(&mut Registry::default()),
            settings: Settings {
                cluster: CLUSTER.into(),
                service_namespace: Some(ALIASES.into()),
                alias_namespaces: None,
                require_class: false,
                endpoint_suffixes: vec![DOMAIN.into()],
                default_versions: DefaultVersions::BUILT_IN,
            },
            clock,
            entropy,
        };
        Self { context, sweeps: Box::pin(sweeps), called, changes }
    }
}

/// A way into the cloud, with a cloud in its place that a mutant alters.
struct Altered {
    inner: Box<dyn Connector>,
    alter: fn(Arc<dyn Cloud>) -> Arc<dyn Cloud>,
}

#[async_trait]
impl Connector for Altered {
    async fn connect(&self, provider: &ProviderConfig) -> Result<Connected, ConnectError> {
        let connected = self.inner.connect(provider).await?;
        Ok(Connected { cloud: (self.alter)(connected.cloud), ..connected })
    }
}
