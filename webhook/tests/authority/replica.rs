//! A replica with the real keeper and real certificates, and what API servers say of the leaf it serves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::gauge::Gauge;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::{ServerName, UnixTime};
use webhook::authority::certificate::Anchor;
use webhook::authority::cluster::Registrar;
use webhook::authority::keeper::{Keeper, Pass};
use webhook::authority::lifetimes::Lifetimes;
use webhook::metrics::AuthorityMetrics;
use webhook::tls::{CertificateStore, Validity};

use crate::support::cluster::Simulated;
use crate::support::pki::SERVER;

pub(crate) const SECOND: SignedDuration = SignedDuration::from_secs(1);

pub(crate) fn lives() -> Lifetimes {
    let seconds = Duration::from_secs;
    Lifetimes::new(seconds(1800), seconds(300), seconds(120), seconds(10)).expect("they fit")
}

/// How far API servers are behind: as far as the overlap allows for, but for the interval in which somebody has to notice.
pub(crate) const LAG: SignedDuration = SignedDuration::from_secs(100);

pub(crate) struct Replica {
    pub(crate) keeper: Keeper<Simulated>,
    pub(crate) store: Arc<CertificateStore>,
    /// How far its clock is ahead of that of the API servers.
    ahead: SignedDuration,
}

impl Replica {
    pub(crate) fn start(cluster: &Simulated) -> Self {
        Self::with(cluster, lives(), SignedDuration::ZERO)
    }

    pub(crate) fn with(cluster: &Simulated, lives: Lifetimes, ahead: SignedDuration) -> Self {
        let store = Arc::new(CertificateStore::new(Gauge::default()));
        let names = vec![SERVER.to_owned(), format!("{SERVER}.cluster.local")];
        let keeper = Keeper::new(cluster.clone(), Arc::clone(&store), AuthorityMetrics::default(), names, lives);
        Self { keeper, store, ahead }
    }

    pub(crate) async fn look(&mut self, cluster: &Simulated) -> Pass {
        self.keeper.look(|| now(cluster) + self.ahead).await
    }

    /// Looks until it comes to rest.
    pub(crate) async fn settle(&mut self, cluster: &Simulated) {
        for _ in 0..5 {
            if self.look(cluster).await.problems.is_empty() {
                return;
            }
        }
    }

    pub(crate) fn ready(&self, now: Timestamp) -> bool {
        self.store.validity(now) == Validity::Valid
    }

    /// What an API server with this bundle says of the leaf, and until when it says so. Go looks at the ends of anchors as well, which the
    /// verifier at hand does not: those that have ended are taken out.
    pub(crate) fn verified_by(&self, bundle: &[u8], now: Timestamp) -> Result<Timestamp, rustls::Error> {
        let mut roots = RootCertStore::empty();
        let mut anchors = Anchor::parse_bundle(bundle).expect("a bundle is whole");
        anchors.retain(|anchor| !anchor.ended(now));
        for anchor in &anchors {
            roots.add(anchor.der().clone()).expect("an anchor");
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build() else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        let leaf = self.store.material().expect("a leaf is served");
        let name = ServerName::try_from(SERVER).expect("a name");
        let at = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().cast_unsigned()));
        verifier.verify_server_cert(&leaf.chain()[0], &[], &name, &[], at)?;
        Ok(anchors.iter().map(|anchor| anchor.not_after).fold(leaf.not_after, Timestamp::min))
    }
}

pub(crate) fn now(cluster: &Simulated) -> Timestamp {
    cluster.with(|state| state.now)
}

pub(crate) fn pass(cluster: &Simulated, time: SignedDuration) {
    cluster.with(|state| state.now += time);
}

/// What was verified already, and until when it holds: a leaf by a bundle.
pub(crate) type Verified = HashMap<(Vec<u8>, Vec<u8>), Timestamp>;

/// Every API server accepts every replica that is ready, also one that acts on a bundle of up to `lag` ago.
pub(crate) fn accepted(
    cluster: &Simulated,
    replicas: &[Replica],
    lag: SignedDuration,
    verified: &mut Verified,
) -> Result<(), String> {
    let now = now(cluster);
    for (number, replica) in replicas.iter().enumerate().filter(|(_, replica)| replica.ready(now)) {
        for registrar in Registrar::ALL {
            for bundle in cluster.bundles(registrar, lag) {
                // Where nobody was trusted before, nobody was asked with success either.
                if bundle.is_empty() {
                    continue;
                }
                let leaf = replica.store.material().expect("it is ready").chain()[0].to_vec();
                let pair = (leaf, bundle);
                if verified.get(&pair).is_some_and(|until| now <= *until) {
                    continue;
                }
                let until = replica
                    .verified_by(&pair.1, now)
                    .map_err(|error| format!("replica {number} by the {registrar} at {now}: {error}"))?;
                verified.insert(pair, until);
            }
        }
    }
    Ok(())
}
