//! Wiring: from arguments to tasks that are raced. A task that ends ends the process.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use kube::core::Selector;
use kube::runtime::controller::{Config, Error as ControllerError};
use kube::{Client, ResourceExt};
use prometheus_client::registry::Registry;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use shared::rules::{DefaultVersionError, DefaultVersions, Engine};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::args::Args;
use crate::authorities::Authorities;
use crate::census::Census;
use crate::clock::{Clock, SystemClock};
use crate::cluster::{Echoes, Kubernetes};
use crate::context::{Context, Settings};
use crate::engine::Servers;
use crate::engine::postgres::{PostgresEngine, Timeouts};
use crate::entropy::SystemEntropy;
use crate::lease::{Election, Fence, LeaseError};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::plan::plan;
use crate::providers::accounts::Accounts;
use crate::providers::aws::AwsConnector;
use crate::renewals::Renewals;
use crate::scope::Scope;
use crate::turns::Turns;
use crate::unused::Unused;
use crate::upkeep::Upkeep;
use crate::watches::{Besides, Watched};
use crate::{admin, class_status, readiness, stop, watches};

const LEASE: &str = "rds-reconciler";
/// A call that is not a watch and takes longer than this has failed.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// Passes that are under way when the process is asked to end have this long.
const GRACE: Duration = Duration::from_secs(20);
/// Instances that changed and were not looked at yet.
const BACKLOG: usize = 1024;

/// Why the process ends.
#[derive(Debug, Error)]
pub enum AppError {
    /// The address of probes and metrics cannot be used.
    #[error("--admin-listen {address}: {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The CAs of the database servers cannot be used.
    #[error("--rds-ca-bundle {path}: {why}")]
    CaBundle {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The one namespace to work in is not there, or is not this service's to work in.
    #[error("--watch-namespace={namespace}: {why}")]
    WatchNamespace {
        /// The namespace.
        namespace: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The default versions contradict each other.
    #[error("--default-version: {0}")]
    DefaultVersions(#[from] DefaultVersionError),
    /// No kubeconfig and no ServiceAccount.
    #[error("no access to Kubernetes: {0}")]
    Config(#[from] kube::config::InferConfigError),
    /// The API server refused or was not reached.
    #[error("Kubernetes: {0}")]
    Kubernetes(#[from] kube::Error),
    /// There is no namespace kube-system to name the cluster by.
    #[error("the namespace kube-system has no UID to name this cluster by: give --cluster-name")]
    NoClusterName,
    /// Another replica leads now.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Signals cannot be caught.
    #[error("signals: {0}")]
    Signals(std::io::Error),
    /// A task that should live as long as the process ended.
    #[error("the task {0} ended")]
    Ended(&'static str),
}

/// Runs until a signal comes or a task ends.
pub async fn run(args: Args) -> Result<(), AppError> {
    let mut signals = shared::shutdown::Shutdown::register().map_err(AppError::Signals)?;
    let (servers, authorities) = trust(&args)?;
    let listener = shared::serve::listen(args.admin_listen)
        .map_err(|source| AppError::Listen { address: args.admin_listen, source })?;
    let (client, watching) = clients().await?;
    watched_namespace(&args, &client).await?;
    let settings = settings(&args, &client).await?;
    let regions = authorities.regions();
    tracing::info!(cluster = settings.cluster, version = env!("CARGO_PKG_VERSION"), regions, "starting");

    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let (changed, changes) = mpsc::channel(BACKLOG);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let fence = if args.leader_election { Fence::closed(clock.clone()) } else { Fence::open() };
    let (accounts, sweeps) = Accounts::new(
        Box::new(AwsConnector::new(metrics.cloud_calls.clone(), fence.clone())),
        &settings.cluster,
        changed,
        clock.clone(),
    );
    let (readiness, ready) = watch::channel(Err("the cloud was not asked yet".to_owned()));
    let identity = identity();
    let (classes, class_changes) = watches::classes(watching.clone());
    let scope = Scope::new(args.watch_namespace.clone());
    let aliases = settings.service_namespace.as_deref();
    let (calls, called) = mpsc::unbounded_channel();
    let cluster = settings.cluster.clone();
    let echoes = Echoes::default();
    let besides = Besides { classes: class_changes, cloud: changes, called };
    let controller = watches::controller(&watching, &scope, aliases, besides, &echoes, cluster.clone());
    let (objects, memory) = (controller.store(), Memory::default());
    let known = objects.clone();
    let unused = Unused {
        accounts: accounts.clone(),
        cluster: cluster.clone(),
        fence: fence.clone(),
        clock: clock.clone(),
        after: Duration::from_secs(args.unused_groups_after),
    };
    let upkeep = Upkeep {
        objects: objects.clone(),
        memory: memory.clone(),
        accounts: accounts.clone(),
        metrics: metrics.clone(),
        scope: scope.clone(),
        cluster,
    };
    registry.register_collector(Box::new(Census {
        objects: controller.store(),
        memory: memory.clone(),
        clock: clock.clone(),
    }));
    let counting = class_status::Counting {
        client: client.clone(),
        classes: classes.clone(),
        objects: objects.clone(),
        fence: fence.clone(),
        clock: clock.clone(),
    };
    // One that sees a part of the databases would call a class free that has others, and has no right to say so.
    let keep_classes = async move {
        match scope {
            Scope::Cluster => counting.run().await,
            Scope::Namespace(_) => std::future::pending().await,
        }
    };
    let acting_since = Arc::new(OnceLock::new());
    let context = Arc::new(Context {
        plan,
        cluster: Arc::new(Kubernetes::new(client.clone(), identity.clone(), clock.clone(), echoes)),
        accounts: accounts.clone(),
        servers,
        authorities: Arc::new(authorities),
        turns: Turns::new(calls, clock.clone()),
        renewals: Renewals::default(),
        fence: fence.clone(),
        views: Arc::new(Watched { objects, classes }),
        memory,
        acting_since: acting_since.clone(),
        metrics: metrics.clone(),
        settings,
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
    });

    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let early = stop::before_the_first_pass(stop.clone(), known);
    let passes = async move {
        let controller = controller
            .with_config(Config::default().concurrency(args.concurrency))
            .graceful_shutdown_on(stopped.cancelled_owned())
            .run(watches::pass, |_, never, _| match *never {}, context);
        tokio::select! {
            () = controller.for_each(|result| async { log(result.err()) }) => {}
            () = keep_classes => {}
            () = early => {}
        }
    };
    let mut election = args.leader_election.then(|| {
        let api: Api<Lease> = Api::namespaced(client.clone(), &args.lease_namespace);
        Election::new(api, LEASE, identity, fence, clock.clone())
    });
    let leader = metrics.leader.clone();
    // Only the leader works; the others stand by, ready to take over.
    let work = async {
        match &mut election {
            None => {
                leader.set(1);
                acting_since.get_or_init(|| clock.now());
                passes.await;
                AppError::Ended("controller")
            }
            Some(election) => {
                tokio::select! {
                    () = election.acquire() => {}
                    // One that stands by has no pass to finish, and must not begin to lead now.
                    () = stop.cancelled() => {
                        election.release().await;
                        return AppError::Ended("election");
                    }
                }
                leader.set(1);
                acting_since.get_or_init(|| clock.now());
                tracing::info!("leading");
                tokio::select! {
                    () = passes => { election.release().await; AppError::Ended("controller") }
                    lost = election.hold() => lost.into(),
                }
            }
        }
    };
    tokio::pin!(work);
    tokio::select! {
        ended = &mut work => Err(ended),
        () = sweeps => Err(AppError::Ended("sweeps")),
        () = upkeep.run() => Err(AppError::Ended("upkeep")),
        () = unused.run() => Err(AppError::Ended("unused")),
        () = readiness::watch(accounts, metrics, readiness) => Err(AppError::Ended("readiness")),
        () = admin::serve(listener, registry, ready) => Err(AppError::Ended("admin")),
        signal = signals.requested() => {
            tracing::info!(signal, "stopping: passes under way are finished");
            stop.cancel();
            let _ = tokio::time::timeout(GRACE, work).await;
            Ok(())
        }
    }
}

/// Whom the operator trusts, and whom applications are told to.
fn trust(args: &Args) -> Result<(Servers, Authorities), AppError> {
    let wrong = |why: String| AppError::CaBundle { path: args.rds_ca_bundle.clone(), why };
    let pem = std::fs::read(&args.rds_ca_bundle).map_err(|error| wrong(error.to_string()))?;
    let authorities = Authorities::parse(&pem).map_err(wrong)?;
    if CertificateDer::pem_slice_iter(&pem).next().is_none() {
        return Err(wrong("it holds no certificate".into()));
    }
    let postgresql = PostgresEngine::new(&pem, Timeouts::default());
    Ok((Servers::default().with(Engine::Postgresql, Arc::new(postgresql)), authorities))
}

/// One client for calls, whose answers come soon, and one for watches, which are silent for long.
async fn clients() -> Result<(Client, Client), AppError> {
    let watching = kube::Config::infer().await?;
    let mut calling = watching.clone();
    calling.read_timeout = Some(CALL_TIMEOUT);
    Ok((Client::try_from(calling)?, Client::try_from(watching)?))
}

/// A watch of a namespace that is not there waits for ever and says nothing.
async fn watched_namespace(args: &Args, client: &Client) -> Result<(), AppError> {
    let Some(namespace) = &args.watch_namespace else { return Ok(()) };
    let refused = |why| Err(AppError::WatchNamespace { namespace: namespace.clone(), why });
    match Api::<Namespace>::all(client.clone()).get_metadata_opt(namespace).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => refused("there is no such namespace: write one that is there, or make it first"),
        Err(kube::Error::Api(status)) if status.code == 403 => {
            refused("this service may not read that namespace: its ClusterRole and Roles have to be for the same one")
        }
        Err(error) => Err(error.into()),
    }
}

async fn settings(args: &Args, client: &Client) -> Result<Settings, AppError> {
    let cluster = match &args.cluster_name {
        Some(name) => name.clone(),
        None => Api::<Namespace>::all(client.clone()).get("kube-system").await?.uid().ok_or(AppError::NoClusterName)?,
    };
    let labels = &args.alias_namespace_labels;
    Ok(Settings {
        cluster,
        service_namespace: args.service_namespace.clone(),
        alias_namespaces: (!labels.is_empty()).then(|| labels.iter().cloned().collect::<Selector>()),
        require_class: args.require_class,
        endpoint_suffixes: args.endpoint_suffixes.clone(),
        default_versions: DefaultVersions::given(&args.default_versions)?,
    })
}

/// Names this replica: in a Pod its name, which the kernel has as the host's.
fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), std::process::id())
}

fn log<E1: std::error::Error + 'static, E2: std::error::Error + 'static>(error: Option<ControllerError<E1, E2>>) {
    match error {
        // Gone between the event and the pass, or said already where it happened.
        None | Some(ControllerError::ObjectNotFound(_) | ControllerError::ReconcilerFailed(..)) => {}
        Some(error) => tracing::warn!(%error, "the watch was interrupted"),
    }
}
