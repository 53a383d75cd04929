//! A certificate chain and its key, parsed once: a pair that does not fit cannot exist past this file.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Everything a TLS handshake needs, and the time for which it holds.
#[derive(Debug, Clone)]
pub struct Material {
    /// Configuration of the server: TLS 1.3 and HTTP/1.1.
    pub config: Arc<ServerConfig>,
    /// First second of the leaf.
    pub not_before: Timestamp,
    /// Last second of the leaf.
    pub not_after: Timestamp,
}

/// Why a pair of files is no certificate with its key. No variant shows what the files hold.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MaterialError {
    /// The certificate file is not PEM.
    #[error("the certificate file holds no readable PEM certificate")]
    NoCertificate,
    /// The key file is not PEM.
    #[error("the key file holds no readable PEM private key")]
    NoKey,
    /// The leaf is not an X.509 certificate.
    #[error("the leaf is not an X.509 certificate")]
    BadLeaf,
    /// Key and certificate belong to different pairs: files caught in the middle of a change, or mounted wrongly.
    #[error("the key does not fit the certificate: {0}")]
    Mismatch(#[source] rustls::Error),
    /// The TLS library offers no TLS 1.3.
    #[error("TLS 1.3 is not to be had: {0}")]
    NoTls13(#[source] rustls::Error),
}

impl Material {
    /// Parses a chain (leaf first) and the leaf's key, both PEM.
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not fit each other.
    pub fn parse(cert: &[u8], key: &[u8]) -> Result<Self, MaterialError> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(cert).collect::<Result<_, _>>().map_err(|_| MaterialError::NoCertificate)?;
        let leaf = chain.first().ok_or(MaterialError::NoCertificate)?;
        let (not_before, not_after) = validity(leaf).ok_or(MaterialError::BadLeaf)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| MaterialError::NoKey)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(MaterialError::NoTls13)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(MaterialError::Mismatch)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // API servers keep connections instead of resuming sessions, and a resumed session would outlive a rotated certificate.
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), not_before, not_after })
    }

    /// Whether a client whose clock says `now` accepts the leaf.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

fn validity(leaf: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let (_, leaf) = x509_parser::parse_x509_certificate(leaf).ok()?;
    let validity = leaf.validity();
    let second = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    Some((second(validity.not_before)?, second(validity.not_after)?))
}
