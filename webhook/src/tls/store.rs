//! The certificate that is served now, and whom it is served to.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;

use super::material::Material;

/// Holds what a handshake needs for new connections; those that are open keep theirs.
#[derive(Debug)]
pub struct CertificateStore {
    current: ArcSwapOption<Serving>,
    parts: Mutex<Parts>,
    not_after: Gauge,
}

#[derive(Debug)]
struct Serving {
    config: Arc<ServerConfig>,
    material: Material,
}

#[derive(Debug)]
struct Parts {
    material: Option<Material>,
    clients: Clients,
}

/// Who may connect.
#[derive(Clone, Debug)]
enum Clients {
    Anyone,
    /// Only those with a certificate, but by whom is not known yet: nobody.
    Nobody,
    Verified(Arc<dyn ClientCertVerifier>),
}

/// Whether clients will accept what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// There is no certificate.
    Absent,
    /// There is a certificate, but no authority to verify clients with.
    NoClientAuthority,
    /// What is served has ended.
    Expired,
    /// What is served holds.
    Valid,
}

impl Validity {
    /// In words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "no certificate yet",
            Self::NoClientAuthority => "the file of --client-ca holds no authority yet",
            Self::Expired => "the certificate has expired",
            Self::Valid => "ready",
        }
    }
}

impl CertificateStore {
    /// An empty store that shows the end of its certificate on `not_after`, for clients without certificates.
    pub fn new(not_after: Gauge) -> Self {
        Self::with(not_after, Clients::Anyone)
    }

    /// An empty store for clients with certificates: nobody is served before [`Self::demand`] says by whom.
    pub(crate) fn demanding(not_after: Gauge) -> Self {
        Self::with(not_after, Clients::Nobody)
    }

    fn with(not_after: Gauge, clients: Clients) -> Self {
        let parts = Mutex::new(Parts { material: None, clients });
        Self { current: ArcSwapOption::empty(), parts, not_after }
    }

    /// Serves `material` from the next connection on.
    pub fn replace(&self, material: Material) {
        self.not_after.set(material.not_after.as_second());
        self.change(|parts| parts.material = Some(material));
    }

    /// Demands from the next connection on a certificate that `verifier` accepts.
    pub(super) fn demand(&self, verifier: Arc<dyn ClientCertVerifier>) {
        self.change(|parts| parts.clients = Clients::Verified(verifier));
    }

    fn change(&self, change: impl FnOnce(&mut Parts)) {
        // Nothing below panics while it holds the lock, so what it guards is whole.
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut parts);
        let clients = match &parts.clients {
            Clients::Anyone => Some(WebPkiClientVerifier::no_client_auth()),
            Clients::Nobody => None,
            Clients::Verified(verifier) => Some(Arc::clone(verifier)),
        };
        let serving =
            parts.material.clone().zip(clients).map(|(material, clients)| {
                Arc::new(Serving { config: Arc::new(config(&material, clients)), material })
            });
        self.current.store(serving);
    }

    /// Configuration for the next connection.
    ///
    /// # Errors
    /// What is missing, where nobody can be served.
    pub fn config(&self) -> Result<Arc<ServerConfig>, Validity> {
        self.current.load().as_ref().map_or_else(|| Err(self.missing()), |serving| Ok(Arc::clone(&serving.config)))
    }

    /// What is served.
    pub fn material(&self) -> Option<Material> {
        self.current.load().as_ref().map(|serving| serving.material.clone())
    }

    /// How it stands with the certificate at `now`.
    pub fn validity(&self, now: Timestamp) -> Validity {
        match self.current.load().as_ref() {
            Some(serving) if now > serving.material.not_after => Validity::Expired,
            Some(_) => Validity::Valid,
            None => self.missing(),
        }
    }

    /// What is missing, where nobody can be served.
    fn missing(&self) -> Validity {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.material.is_some() { Validity::NoClientAuthority } else { Validity::Absent }
    }
}

/// What handshakes are made of, named here because features of other crates of a build change the order. The cheap exchange comes first:
/// every new connection pays for it, and what is asked is no secret for decades. Clients that offer nothing but the post-quantum one get it.
fn provider() -> CryptoProvider {
    let kx_groups = vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1, kx_group::X25519MLKEM768];
    CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() }
}

/// TLS 1.3 and HTTP/1.1.
fn config(material: &Material, clients: Arc<dyn ClientCertVerifier>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        // This provider has TLS 1.3 suites, whatever its features are.
        .expect("TLS 1.3 is to be had")
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&material.pair))));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // API servers keep connections instead of resuming sessions, and a resumed session would outlive a rotated certificate.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config
}
