//! Keeps the authority of clients equal to a file.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::time::{MissedTickBehavior, interval};

use super::store::CertificateStore;

/// Why a file does not say which clients to accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthorityError {
    /// The file cannot be read.
    #[error("cannot read {path}: {kind}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        kind: io::ErrorKind,
    },
    /// The file has no certificates.
    #[error("{path} holds no readable PEM certificate")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A certificate in the file cannot be trusted.
    #[error("{path} holds a certificate that cannot be an authority: {why}")]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Compares the file of `--client-ca` with what is demanded of clients.
#[derive(Debug)]
pub struct ClientWatch {
    path: PathBuf,
    store: Arc<CertificateStore>,
    demanded: Option<Vec<u8>>,
    complained: Option<ClientAuthorityError>,
}

impl ClientWatch {
    /// Watches the PEM file `path` for `store`.
    pub fn new(path: PathBuf, store: Arc<CertificateStore>) -> Self {
        Self { path, store, demanded: None, complained: None }
    }

    /// Looks for ever.
    pub async fn run(mut self, every: Duration) -> Infallible {
        // No shorter: each look reads a file.
        let mut ticks = interval(every.max(Duration::from_millis(10)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // What is wrong is in the log, and the last good authority stays.
            let _ = self.look().await;
        }
    }

    /// Looks once, and says in the log what is new. True where new clients are verified by something else from now on.
    ///
    /// # Errors
    /// When the file holds no authority; the last good one stays.
    pub async fn look(&mut self) -> Result<bool, ClientAuthorityError> {
        let looked = self.load().await;
        match &looked {
            Ok(true) => tracing::info!(path = %self.path.display(), "clients are verified by a new authority"),
            Err(error) if self.complained.as_ref() != Some(error) => {
                tracing::warn!(%error, "the file of --client-ca cannot be used; whoever was accepted is accepted on");
            }
            Ok(false) | Err(_) => {}
        }
        self.complained = looked.as_ref().err().cloned();
        looked
    }

    async fn load(&mut self) -> Result<bool, ClientAuthorityError> {
        let path = || self.path.clone();
        let pem = tokio::fs::read(&self.path)
            .await
            .map_err(|error| ClientAuthorityError::Unreadable { path: path(), kind: error.kind() })?;
        if self.demanded.as_ref() == Some(&pem) {
            return Ok(false);
        }
        let verifier = verifier(&pem).map_err(|why| match why {
            None => ClientAuthorityError::NoCertificate { path: path() },
            Some(why) => ClientAuthorityError::BadCertificate { path: path(), why },
        })?;
        self.store.demand(verifier);
        self.demanded = Some(pem);
        Ok(true)
    }
}

/// What accepts the clients of these authorities; what is wrong with one of them, or nothing where there is none.
fn verifier(pem: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, Option<String>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|_| None)?).map_err(|error| Some(error.to_string()))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    // The one thing a builder without revocation lists refuses is to have no roots.
    verifier.map_err(|_| None)
}
