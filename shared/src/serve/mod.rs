//! HTTP/1.1 for whoever connects, with a bound on everything a connection may take: a place, time and memory.
//!
//! Nobody is kept out by connections that only wait: at the limit one of them is closed for each that comes (`order` says which).

mod arriving;
mod impatient;
mod order;
mod places;

use std::future::{Ready, pending, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::arriving::Arriving;
use self::impatient::Impatient;
use self::places::{Place, Places};

/// Most that is read from a connection at a time, in bytes, and so the most that a request's header may have. hyper's own 400 KiB would be kept
/// for each connection that once had as much to read.
const READ_BUFFER: usize = 16 * 1024;

/// Connections that wait in the kernel to be accepted. Beyond them it drops what comes, and a client tries again after a second; the 128 that the standard
/// library asks for are full before a busy thread gets its turn.
const BACKLOG: u32 = 1024;

/// Bounds of a listener's connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Longest wait for the header of a connection's first request.
    pub first_header: Duration,
    /// Longest wait for the header of each further one.
    pub header: Duration,
    /// Longest wait for a client that does not take its answer.
    pub answer: Duration,
    /// Longest time for the last requests to end.
    pub drain: Duration,
}

impl Limits {
    /// For a port of probes and metrics: few ask there, none for long.
    pub const PROBES: Self = Self {
        connections: 128,
        first_header: Duration::from_secs(10),
        header: Duration::from_secs(120),
        answer: Duration::from_secs(10),
        drain: Duration::ZERO,
    };
}

/// Serves a router to everyone who connects.
#[derive(Debug)]
pub struct Server {
    router: Router,
    limits: Limits,
    open: Gauge,
}

/// Listens on an address. Needs a Tokio runtime.
///
/// # Errors
/// The operating system refused it.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Of a process that has just ended, connections may linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What takes a connection as it is.
pub fn plain(stream: TcpStream, _peer: SocketAddr) -> Ready<Option<TcpStream>> {
    ready(Some(stream))
}

impl Server {
    /// A server that shows on `open` how many connections it has.
    pub fn new(router: Router, limits: Limits, open: Gauge) -> Self {
        Self { router, limits, open }
    }

    /// Serves until `stop`, then lets the requests under way end. `prepare` makes of an accepted connection one that speaks HTTP, such as by a
    /// handshake, which it has to bound; none where that fails.
    pub async fn run<S, F>(
        self,
        listener: TcpListener,
        prepare: impl Fn(TcpStream, SocketAddr) -> F,
        stop: CancellationToken,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let places = Arc::new(Places::new(self.limits.connections));
        let graceful = GracefulShutdown::new();
        let next = async || {
            let (stream, peer) = accept(&listener).await;
            (stream, peer, places.take(peer.ip()).await)
        };
        loop {
            let (stream, peer, place) = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                next = next() => next,
            };
            self.spawn(prepare(stream, peer), peer, place, graceful.watcher());
        }
        drop(listener);
        if timeout(self.limits.drain, graceful.shutdown()).await.is_err() {
            tracing::warn!(limit = ?self.limits.drain, "some requests did not end in time");
        }
    }

    fn spawn<S, F>(&self, prepared: F, peer: SocketAddr, place: Arc<Place>, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let (router, limits, open) = (self.router.clone(), self.limits, Open::new(self.open.clone()));
        tokio::spawn(async move {
            let _open = open;
            let closing = place.closing();
            let conversation = async move {
                if let Some(stream) = prepared.await {
                    converse(stream, router, limits, peer, place, watcher).await;
                }
            };
            tokio::select! {
                biased;
                () = closing.cancelled() => tracing::debug!(%peer, "an idle connection is closed for a new one"),
                () = conversation => {}
            }
        });
    }
}

/// Answers one request after the other.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    limits: Limits,
    peer: SocketAddr,
    place: Arc<Place>,
    watcher: Watcher,
) {
    let asked = CancellationToken::new();
    let service = {
        let (router, asked) = (TowerToHyperService::new(router), asked.clone());
        service_fn(move |request: Request<Incoming>| {
            asked.cancel();
            let place = Arc::clone(&place);
            let answer = router.call(request.map(|body| Arriving::new(body, Arc::clone(&place))));
            async move {
                let answer: Result<Response, _> = answer.await;
                place.answered(answer.as_ref().is_ok_and(|answer| answer.status().is_success()));
                answer
            }
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_buf_size(READ_BUFFER)
        .serve_connection(TokioIo::new(Impatient::new(stream, limits.answer)), service);
    // Whoever has asked once may be idle for long; whoever never asks is not waited for.
    let silence = async {
        if timeout(limits.first_header, asked.cancelled()).await.is_ok() {
            pending::<()>().await;
        }
    };
    tokio::select! {
        ended = watcher.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended early");
            }
        }
        () = silence => tracing::debug!(%peer, limit = ?limits.first_header, "connection without a request"),
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and wanted at once.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "connection is gone already");
                }
                return (stream, peer);
            }
            Err(error) => {
                // Out of file descriptors, most likely: some will be closed in a moment.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Counts a connection for as long as it lives.
struct Open(Gauge);

impl Open {
    fn new(open: Gauge) -> Self {
        open.inc();
        Self(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
