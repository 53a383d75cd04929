//! The TLS listener: accepts, shakes hands and serves HTTP/1.1, each with a bound.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::impatient::Impatient;
use crate::tls::{CertificateStore, Failure, Failures, Validity};

/// Most that is read from a connection at a time, in bytes, and so the most that a request's header may have. hyper's own 400 KiB would be kept
/// for each connection that once had a large body.
const READ_BUFFER: usize = 32 * 1024;

/// Bounds of connections.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Connections at a time.
    pub connections: usize,
    /// Longest time for a handshake.
    pub handshake: Duration,
    /// Longest wait for the header of a connection's first request.
    pub first_header: Duration,
    /// Longest wait for the header of each further one.
    pub header: Duration,
    /// Longest wait for a client that does not take its answer.
    pub answer: Duration,
    /// Longest time for the last requests to end.
    pub drain: Duration,
}

/// Serves a router to everyone who connects.
#[derive(Debug)]
pub struct Server {
    store: Arc<CertificateStore>,
    router: Router,
    limits: ConnectionLimits,
    open: Gauge,
    failures: Arc<Failures>,
}

impl Server {
    /// A server that shows on `open` how many connections it has, and tells `failures` what could not be made one.
    pub fn new(
        store: Arc<CertificateStore>,
        router: Router,
        limits: ConnectionLimits,
        open: Gauge,
        failures: Failures,
    ) -> Self {
        Self { store, router, limits, open, failures: Arc::new(failures) }
    }

    /// Serves until `stop`, then lets the requests under way end.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.limits.connections));
        let graceful = GracefulShutdown::new();
        while let Some((stream, peer, slot)) = next(&listener, &slots, &stop).await {
            self.spawn(stream, peer, slot, graceful.watcher());
        }
        drop(listener);
        if timeout(self.limits.drain, graceful.shutdown()).await.is_err() {
            tracing::warn!(limit = ?self.limits.drain, "some requests did not end in time");
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit, watcher: Watcher) {
        let failures = Arc::clone(&self.failures);
        let config = match self.store.config() {
            Ok(config) => config,
            Err(missing @ Validity::NoClientAuthority) => {
                return failures.note(Failure::NoClientAuthority, peer, &missing.as_str());
            }
            Err(missing) => return failures.note(Failure::NoCertificate, peer, &missing.as_str()),
        };
        let router = self.router.clone();
        let ConnectionLimits { handshake, first_header, header, answer, .. } = self.limits;
        let open = Open::new(self.open.clone(), slot);
        tokio::spawn(async move {
            let _open = open;
            let stream = match timeout(handshake, TlsAcceptor::from(config).accept(stream)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return failures.note(Failure::of(&error), peer, &error),
                Err(late) => return failures.note(Failure::TooSlow, peer, &late),
            };
            let asked = CancellationToken::new();
            let service = {
                let (router, asked) = (TowerToHyperService::new(router), asked.clone());
                service_fn(move |request| {
                    asked.cancel();
                    router.call(request)
                })
            };
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(header)
                .max_buf_size(READ_BUFFER)
                .serve_connection(TokioIo::new(Impatient::new(stream, answer)), service);
            // Whoever has asked once may be idle for long; whoever never asks takes a slot from those who do.
            let silence = async {
                if timeout(first_header, asked.cancelled()).await.is_ok() {
                    pending::<()>().await;
                }
            };
            tokio::select! {
                ended = watcher.watch(connection) => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection ended early");
                    }
                }
                () = silence => tracing::debug!(%peer, limit = ?first_header, "connection without a request"),
            }
        });
    }
}

/// The next connection, with the slot it takes; none after `stop`.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let accept = async {
        loop {
            // Never closed, so this always gives a slot in the end.
            let slot = Arc::clone(slots).acquire_owned().await.ok()?;
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // Answers are small and wanted at once.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "connection is gone already");
                    }
                    return Some((stream, peer, slot));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: some will be closed in a moment.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        next = accept => next,
    }
}

/// Counts a connection for as long as it lives.
struct Open {
    open: Gauge,
    _slot: OwnedSemaphorePermit,
}

impl Open {
    fn new(open: Gauge, slot: OwnedSemaphorePermit) -> Self {
        open.inc();
        Self { open, _slot: slot }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.open.dec();
    }
}
