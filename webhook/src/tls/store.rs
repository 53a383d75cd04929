//! The certificate that is served now.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConfig;

use super::Material;

/// Holds the pair for new connections; those that are open keep theirs.
#[derive(Debug)]
pub struct CertificateStore {
    current: ArcSwapOption<Material>,
    not_after: Gauge,
}

/// Whether clients will accept what is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Nothing is served.
    Absent,
    /// What is served has ended.
    Expired,
    /// What is served holds.
    Valid,
}

impl CertificateStore {
    /// An empty store that shows the end of its certificate on `not_after`.
    pub fn new(not_after: Gauge) -> Self {
        Self { current: ArcSwapOption::empty(), not_after }
    }

    /// Serves `material` from the next connection on.
    pub fn replace(&self, material: Material) {
        self.not_after.set(material.not_after.as_second());
        self.current.store(Some(Arc::new(material)));
    }

    /// Configuration for the next connection.
    pub fn config(&self) -> Option<Arc<ServerConfig>> {
        self.current.load().as_ref().map(|material| Arc::clone(&material.config))
    }

    /// How it stands with the certificate at `now`.
    pub fn validity(&self, now: Timestamp) -> Validity {
        match self.current.load().as_ref() {
            None => Validity::Absent,
            Some(material) if now > material.not_after => Validity::Expired,
            Some(_) => Validity::Valid,
        }
    }
}
