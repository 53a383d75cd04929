//! Wiring: from arguments to tasks that are raced. A task that ends ends the process.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use kube::core::Selector;
use kube::runtime::controller::{Config, Error as ControllerError};
use kube::{Client, ResourceExt};
use prometheus_client::registry::Registry;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::args::Args;
use crate::census::Census;
use crate::cluster::Kubernetes;
use crate::context::{Context, Settings};
use crate::controller::{on_error, reconcile};
use crate::engine::postgres::{PostgresEngine, Timeouts};
use crate::lease::{Election, LeaseError};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::providers::accounts::Accounts;
use crate::providers::aws::AwsConnector;
use crate::scope::Scope;
use crate::{access, admin, watches};

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
    let engine = engine(&args)?;
    let listener = TcpListener::bind(args.admin_listen)
        .await
        .map_err(|source| AppError::Listen { address: args.admin_listen, source })?;
    let (client, watching) = clients().await?;
    let settings = settings(&args, &client).await?;
    tracing::info!(cluster = settings.cluster, version = env!("CARGO_PKG_VERSION"), "starting");

    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let (changed, changes) = mpsc::channel(BACKLOG);
    let (accounts, sweeps) =
        Accounts::new(Box::new(AwsConnector::new(metrics.cloud_calls.clone())), &settings.cluster, changed);
    let (readiness, ready) = watch::channel(Err("AWS was not asked yet".to_owned()));
    let identity = identity();
    let (classes, class_changes) = watches::classes(watching.clone());
    let scope = Scope::new(args.watch_namespace.clone());
    let aliases = settings.service_namespace.as_deref();
    let controller = watches::controller(&watching, &scope, aliases, class_changes, changes, settings.cluster.clone());
    registry.register_collector(Box::new(Census(controller.store())));
    let acting_since = Arc::new(OnceLock::new());
    let context = Arc::new(Context {
        cluster: Arc::new(Kubernetes::new(client.clone(), identity.clone())),
        accounts: accounts.clone(),
        engine: Arc::new(engine),
        classes,
        memory: Memory::default(),
        acting_since: acting_since.clone(),
        metrics: metrics.clone(),
        settings,
        clock: Timestamp::now,
    });

    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let passes = async move {
        let controller = controller
            .with_config(Config::default().concurrency(args.concurrency))
            .graceful_shutdown_on(stopped.cancelled_owned())
            .run(reconcile, on_error, context);
        controller.for_each(|result| async { log(result.err()) }).await;
    };
    let mut election = args.leader_election.then(|| {
        let api: Api<Lease> = Api::namespaced(client.clone(), &args.lease_namespace);
        Election::new(api, LEASE, identity)
    });
    let leader = metrics.leader.clone();
    // Only the leader works; the others stand by, ready to take over.
    let work = async {
        match &mut election {
            None => {
                acting_since.get_or_init(|| (Instant::now(), Timestamp::now()));
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
                acting_since.get_or_init(|| (Instant::now(), Timestamp::now()));
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
        () = access::watch(accounts, metrics, readiness) => Err(AppError::Ended("access")),
        _ = admin::serve(listener, registry, ready) => Err(AppError::Ended("admin")),
        signal = signals.requested() => {
            tracing::info!(signal, "stopping: passes under way are finished");
            stop.cancel();
            let _ = tokio::time::timeout(GRACE, work).await;
            Ok(())
        }
    }
}

fn engine(args: &Args) -> Result<PostgresEngine, AppError> {
    let path = args.rds_ca_bundle.clone();
    let pem =
        std::fs::read(&path).map_err(|error| AppError::CaBundle { path: path.clone(), why: error.to_string() })?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(found) if !found.is_empty() => Ok(PostgresEngine::new(pem, Timeouts::default())),
        Ok(_) => Err(AppError::CaBundle { path, why: "it holds no certificate".into() }),
        Err(error) => Err(AppError::CaBundle { path, why: error.to_string() }),
    }
}

/// One client for calls, whose answers come soon, and one for watches, which are silent for long.
async fn clients() -> Result<(Client, Client), AppError> {
    let watching = kube::Config::infer().await?;
    let mut calling = watching.clone();
    calling.read_timeout = Some(CALL_TIMEOUT);
    Ok((Client::try_from(calling)?, Client::try_from(watching)?))
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
        endpoint_suffixes: args.endpoint_suffixes.clone(),
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
