//! Wiring: binds the two listeners and races everything that lives as long as the process.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use shared::rules::{DefaultVersionError, DefaultVersions};
use shared::serve::{self, Limits as ConnectionLimits, Server};
use shared::shutdown::Shutdown;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::admin;
use crate::args::{Args, TlsSource};
use crate::authority::keeper::Keeper;
use crate::authority::kubernetes::{ConnectError, Kubernetes, Names};
use crate::authority::lifetimes::{Lifetimes, LifetimesError};
use crate::metrics::{AuthorityMetrics, Metrics};
use crate::router::{self, Clock, Limits};
use crate::tls::{Acceptor, CertificateFiles, CertificateStore, ClientWatch, Failures, Watch};

/// Longest wait for the header of a connection's first request: API servers connect in order to ask.
const FIRST_HEADER: Duration = Duration::from_secs(10);

/// Why the service cannot start, or ends.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Signals cannot be received.
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
    /// Flags contradict each other.
    #[error("{0}")]
    Flags(String),
    /// The default versions contradict each other.
    #[error("--default-version: {0}")]
    DefaultVersions(#[from] DefaultVersionError),
    /// Certificates of our own would not last.
    #[error(transparent)]
    Lifetimes(#[from] LifetimesError),
    /// There is no API server to publish certificates of our own to.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// Serves until SIGTERM or SIGINT, then leaves in order: not ready, answers close their connections, requests under way end.
///
/// # Errors
/// When it cannot listen, or a part of it that should live as long as the process does not.
pub async fn run(args: Args) -> Result<(), AppError> {
    args.check().map_err(AppError::Flags)?;
    // From here on a signal is an orderly end, also while the rest starts.
    let signals = Shutdown::register().map_err(AppError::Signals)?;
    let clock = Timestamp::now;
    let (metrics, mut registry) = Metrics::new();
    let not_after = metrics.cert_not_after.clone();
    let store = Arc::new(match args.client_ca {
        None => CertificateStore::new(not_after),
        Some(_) => CertificateStore::demanding(not_after),
    });
    let (draining, stop) = (CancellationToken::new(), CancellationToken::new());

    let source = Source::prepare(&args, Arc::clone(&store), clock, &mut registry).await?;
    let clients = args.client_ca.clone().map(|path| ClientWatch::new(path, Arc::clone(&store)));

    let versions = DefaultVersions::given(&args.default_versions)?;
    let limits = Limits { body: args.body_limit, in_flight: args.in_flight_limit, request: args.request_timeout };
    let admission = router::router(limits, versions, metrics.clone(), clock, draining.clone());
    let distrusted = Arc::new(Notify::new());
    let failures = Failures::new(metrics.handshakes, Arc::clone(&distrusted));
    let acceptor = Acceptor::new(Arc::clone(&store), args.handshake_timeout, failures);
    let server = Server::new(admission, connection_limits(&args), metrics.connections);
    let admin = admin::router(registry, store, clock, draining.clone());
    let admin = Server::new(admin, admin_limits(&args), Gauge::default());
    let listener = bind(args.listen)?;
    let admin_listener = bind(args.admin_listen)?;

    tokio::select! {
        () = server.run(listener, |stream, peer| acceptor.accept(stream, peer), stop.clone()) => Ok(()),
        // It answers to the end, also that the service is not ready any more.
        () = admin.run(admin_listener, serve::plain, CancellationToken::new()) => Ok(()),
        never = source.keep(args.tls_poll_interval, clock, &distrusted) => match never {},
        never = verify(clients, args.tls_poll_interval) => match never {},
        never = leave(signals, args.drain_delay, &draining, &stop) => match never {},
    }
}

/// Where certificates come from.
enum Source {
    Files(Box<Watch>),
    Authority(Box<Keeper<Kubernetes>>),
}

impl Source {
    async fn prepare(
        args: &Args,
        store: Arc<CertificateStore>,
        clock: Clock,
        registry: &mut Registry,
    ) -> Result<Self, AppError> {
        match args.tls_source {
            TlsSource::Files => {
                let files = CertificateFiles { cert: args.tls_cert.clone(), key: args.tls_key.clone() };
                let mut watch = Watch::new(files, store, clock);
                watch.first_look();
                Ok(Self::Files(Box::new(watch)))
            }
            TlsSource::SelfManaged => {
                let own = &args.authority;
                let lives = Lifetimes::new(
                    own.authority_lifetime,
                    own.leaf_lifetime,
                    own.authority_overlap,
                    own.authority_poll_interval,
                )?;
                // The client asks for the process's default. An error means that there is one.
                let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
                let cluster = Kubernetes::connect(Names {
                    namespace: own.namespace.clone(),
                    service: own.service_name.clone(),
                    secret: own.authority_secret.clone(),
                    configuration: own.webhook_configuration.clone(),
                })
                .await?;
                let metrics = AuthorityMetrics::register(registry);
                Ok(Self::Authority(Box::new(Keeper::new(cluster, store, metrics, own.dns_names(), lives))))
            }
        }
    }

    async fn keep(self, every: Duration, clock: Clock, distrusted: &Notify) -> Infallible {
        match self {
            Self::Files(watch) => watch.run(every).await,
            Self::Authority(keeper) => keeper.run(clock, distrusted).await,
        }
    }
}

async fn verify(clients: Option<ClientWatch>, every: Duration) -> Infallible {
    match clients {
        Some(watch) => watch.run(every).await,
        None => pending().await,
    }
}

fn connection_limits(args: &Args) -> ConnectionLimits {
    ConnectionLimits {
        connections: args.max_connections,
        first_header: FIRST_HEADER.min(args.header_timeout),
        header: args.header_timeout,
        answer: args.request_timeout,
        drain: args.drain_timeout,
    }
}

fn admin_limits(args: &Args) -> ConnectionLimits {
    let limits = connection_limits(args);
    ConnectionLimits { connections: limits.connections.min(ConnectionLimits::PROBES.connections), ..limits }
}

fn bind(address: SocketAddr) -> Result<TcpListener, AppError> {
    let listener = serve::listen(address).map_err(|source| AppError::Bind { address, source })?;
    let bound = listener.local_addr().map_err(|source| AppError::Bind { address, source })?;
    tracing::info!(address = %bound, "listening");
    Ok(listener)
}

/// Endpoints keep sending for a moment after a Pod is told to go, so the service goes on for `delay` before it stops.
async fn leave(
    mut signals: Shutdown,
    delay: Duration,
    draining: &CancellationToken,
    stop: &CancellationToken,
) -> Infallible {
    let signal = signals.requested().await;
    tracing::info!(signal, ?delay, "told to stop: serving on until traffic goes elsewhere");
    draining.cancel();
    sleep(delay).await;
    stop.cancel();
    // The server's own end ends the process.
    pending().await
}
