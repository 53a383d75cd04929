//! One process of the operator: the whole core over simulated ports, with a queue of its own. Dropped, it is killed.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use prometheus_client::registry::Registry;
use reconciler::again::Again;
use reconciler::authorities::Authorities;
use reconciler::clock::Clock as _;
use reconciler::context::{Context, Settings};
use reconciler::controller::reconcile;
use reconciler::engine::Servers;
use reconciler::lease::Fence;
use reconciler::memory::Memory;
use reconciler::metrics::Metrics;
use reconciler::providers::accounts::Accounts;
use reconciler::providers::{Access, ConnectError, Connected, Connector};
use reconciler::renewals::Renewals;
use reconciler::turns::{Key, Turns};
use shared::rules::DefaultVersions;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::chance::{ProcessClock, Seeded};
use crate::cluster::Kubernetes;

/// No way leads into the cloud.
struct Nowhere;

#[async_trait]
impl Connector for Nowhere {
    async fn connect(&self, _: &Access) -> Result<Connected, ConnectError> {
        Err(ConnectError::NoRegion)
    }
}

pub(crate) struct Process {
    pub(crate) clock: Arc<ProcessClock>,
    context: Context,
    sweeps: Pin<Box<dyn Future<Output = ()>>>,
    queue: BTreeSet<(Instant, Key)>,
    called: mpsc::UnboundedReceiver<Key>,
}

impl Process {
    /// A process that has just begun to act and remembers nothing.
    pub(crate) fn start(cluster: &Arc<Kubernetes>, seed: u64, objects: impl IntoIterator<Item = Key>) -> Self {
        let clock = Arc::new(ProcessClock::start());
        let (accounts, sweeps) = Accounts::new(Box::new(Nowhere), "simulated", mpsc::channel(64).0, clock.clone());
        let (calls, called) = mpsc::unbounded_channel();
        let fence = Fence::closed(clock.clone());
        fence.renewed(clock.now());
        let context = Context {
            cluster: cluster.clone(),
            accounts,
            servers: Servers::default(),
            authorities: Arc::new(Authorities::default()),
            turns: Turns::new(calls, clock.clone()),
            renewals: Renewals::default(),
            fence,
            views: cluster.clone(),
            memory: Memory::default(),
            acting_since: Arc::new(OnceLock::from(clock.now())),
            metrics: Metrics::register(&mut Registry::default()),
            settings: Settings {
                cluster: "simulated".into(),
                service_namespace: Some("rds".into()),
                alias_namespaces: None,
                require_class: false,
                endpoint_suffixes: Vec::new(),
                default_versions: DefaultVersions::BUILT_IN,
            },
            clock: clock.clone(),
            entropy: Arc::new(Seeded::new(seed)),
        };
        let now = Instant::now();
        let queue = objects.into_iter().map(|key| (now, key)).collect();
        Self { clock, context, sweeps: Box::pin(sweeps), queue, called }
    }

    /// Makes passes, one after the other, for as long as it is let.
    pub(crate) async fn run(&mut self) {
        let Self { context, sweeps, queue, called, .. } = self;
        let passes = async {
            while let Some((at, key)) = queue.pop_first() {
                tokio::time::sleep_until(at).await;
                context.fence.renewed(context.now());
                let again = reconcile(context, &key).await;
                while let Ok(key) = called.try_recv() {
                    queue.insert((Instant::now(), key));
                }
                if let Again::After(pause) = again {
                    queue.insert((Instant::now() + pause, key));
                }
            }
        };
        tokio::select! {
            biased;
            () = passes => {}
            () = sweeps => {}
        }
    }
}
