//! Handshakes, each with the certificate of its moment and a bound.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::handshake::{Failure, Failures};
use super::store::{CertificateStore, Validity};

/// Shakes hands with whoever connects.
#[derive(Debug)]
pub struct Acceptor {
    store: Arc<CertificateStore>,
    limit: Duration,
    failures: Arc<Failures>,
}

impl Acceptor {
    /// An acceptor that serves what `store` holds at the time, takes at most `limit` for a handshake, and tells `failures` what came to nothing.
    pub fn new(store: Arc<CertificateStore>, limit: Duration, failures: Failures) -> Self {
        Self { store, limit, failures: Arc::new(failures) }
    }

    /// The encrypted connection, unless there is nothing to serve or the handshake fails.
    pub fn accept(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl Future<Output = Option<TlsStream<TcpStream>>> + Send + use<> {
        let (config, limit, failures) = (self.store.config(), self.limit, Arc::clone(&self.failures));
        async move {
            let config = match config {
                Ok(config) => config,
                Err(missing) => {
                    let failure = match missing {
                        Validity::NoClientAuthority => Failure::NoClientAuthority,
                        _ => Failure::NoCertificate,
                    };
                    failures.note(failure, peer, &missing.as_str());
                    return None;
                }
            };
            match timeout(limit, TlsAcceptor::from(config).accept(stream)).await {
                Ok(Ok(stream)) => return Some(stream),
                Ok(Err(error)) => failures.note(Failure::of(&error), peer, &error),
                Err(late) => failures.note(Failure::TooSlow, peer, &late),
            }
            None
        }
    }
}
