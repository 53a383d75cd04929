//! Wiring: binds the two listeners and races everything that lives as long as the process.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shared::shutdown::Shutdown;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::admin;
use crate::args::Args;
use crate::metrics::Metrics;
use crate::router::{self, Limits};
use crate::server::{ConnectionLimits, Server};
use crate::tls::{CertificateFiles, CertificateStore, Watch};

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
    /// The plain listener ended.
    #[error("the listener for probes and metrics ended")]
    Admin(#[source] io::Error),
}

/// Serves until SIGTERM or SIGINT, then leaves in order: not ready, answers close their connections, requests under way end.
///
/// # Errors
/// When it cannot listen, or a part of it that should live as long as the process does not.
pub async fn run(args: Args) -> Result<(), AppError> {
    // From here on a signal is an orderly end, also while the rest starts.
    let signals = Shutdown::register().map_err(AppError::Signals)?;
    let clock = Timestamp::now;
    let (metrics, registry) = Metrics::new();
    let store = Arc::new(CertificateStore::new(metrics.cert_not_after.clone()));
    let (draining, stop) = (CancellationToken::new(), CancellationToken::new());

    let files = CertificateFiles { cert: args.tls_cert.clone(), key: args.tls_key.clone() };
    let mut watch = Watch::new(files, Arc::clone(&store), clock);
    watch.look().await;

    let limits = Limits { body: args.body_limit, in_flight: args.in_flight_limit, request: args.request_timeout };
    let admission = router::router(limits, metrics.clone(), clock, draining.clone());
    let server = Server::new(Arc::clone(&store), admission, connection_limits(&args), metrics.connections.clone());
    let listener = bind(args.listen).await?;
    let admin_listener = bind(args.admin_listen).await?;
    let admin = axum::serve(admin_listener, admin::router(registry, store, clock, draining.clone()));

    tokio::select! {
        () = server.run(listener, stop.clone()) => Ok(()),
        ended = admin => ended.map_err(AppError::Admin),
        never = watch.run(args.tls_poll_interval) => match never {},
        never = leave(signals, args.drain_delay, &draining, &stop) => match never {},
    }
}

fn connection_limits(args: &Args) -> ConnectionLimits {
    ConnectionLimits {
        connections: args.max_connections,
        handshake: args.handshake_timeout,
        header: args.header_timeout,
        drain: args.drain_timeout,
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, AppError> {
    let listener = TcpListener::bind(address).await.map_err(|source| AppError::Bind { address, source })?;
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
