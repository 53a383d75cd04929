//! A certificate chain and its key, parsed once: a pair that does not fit cannot exist past this file.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A chain with its key, and the time for which it holds.
#[derive(Clone, Debug)]
pub struct Material {
    pub(super) pair: Arc<CertifiedKey>,
    /// First second of the leaf.
    pub not_before: Timestamp,
    /// Last second of the leaf.
    pub not_after: Timestamp,
}

/// Why a chain and a key are no certificate with its key. No variant shows what they hold.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
}

impl Material {
    /// Parses a chain (leaf first) and the leaf's key, both PEM.
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not fit each other.
    pub fn parse(cert: &[u8], key: &[u8]) -> Result<Self, MaterialError> {
        let chain =
            CertificateDer::pem_slice_iter(cert).collect::<Result<_, _>>().map_err(|_| MaterialError::NoCertificate)?;
        Self::new(chain, || PrivateKeyDer::from_pem_slice(key).map_err(|_| MaterialError::NoKey))
    }

    /// A chain (leaf first) and the leaf's key.
    ///
    /// # Errors
    /// When the leaf is none, there is no key, or they do not fit each other.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: impl FnOnce() -> Result<PrivateKeyDer<'static>, MaterialError>,
    ) -> Result<Self, MaterialError> {
        let leaf = chain.first().ok_or(MaterialError::NoCertificate)?;
        let (not_before, not_after) = validity(leaf).ok_or(MaterialError::BadLeaf)?;
        let pair = CertifiedKey::from_der(chain, key()?, &aws_lc_rs::default_provider());
        Ok(Self { pair: Arc::new(pair.map_err(MaterialError::Mismatch)?), not_before, not_after })
    }

    /// Whether a client whose clock says `now` accepts the leaf.
    pub(super) fn holds_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// What is shown to clients, leaf first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.pair.cert
    }
}

/// First and last second of a certificate; nothing where it is not an X.509 certificate.
pub(crate) fn validity(certificate: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = certificate.validity();
    let second = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    Some((second(validity.not_before)?, second(validity.not_after)?))
}
