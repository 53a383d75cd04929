//! What the service counts. Labels have few values: no names, no namespaces.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::admission::{Endpoint, Operation};
use crate::tls::Failure;

/// Upper bounds in seconds: a review of usual size takes 50 µs, one of 7 MB some 100 ms.
const SECONDS: [f64; 12] = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// The metrics; clones share their values.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    duration: Family<EndpointLabels, Histogram, fn() -> Histogram>,
    errors: Family<ErrorLabels, Counter>,
    /// Open connections.
    pub connections: Gauge,
    /// When the served certificate ends, in Unix seconds; 0 without one.
    pub cert_not_after: Gauge,
    /// Handshakes that failed.
    pub handshakes: Handshakes,
}

/// Handshakes that failed, by reason.
#[derive(Clone, Debug, Default)]
pub struct Handshakes(Family<FailureLabels, Counter>);

impl Handshakes {
    /// One more.
    pub fn failed(&self, failure: Failure) {
        self.0.get_or_create(&FailureLabels { reason: failure.as_str() }).inc();
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    reason: &'static str,
}

/// Metrics of an authority of our own; only there with one.
#[derive(Clone, Debug, Default)]
pub struct AuthorityMetrics {
    /// When the authority that signs ends, in Unix seconds; 0 without one.
    pub not_after: Gauge,
    /// Things that went wrong at a look at the cluster.
    pub errors: Counter,
    writes: Family<ObjectLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObjectLabels {
    object: &'static str,
}

impl AuthorityMetrics {
    /// Metrics that `registry` shows.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register_with_unit(
            "authority_not_after",
            "End of the authority that signs certificates in Unix time, 0 without one",
            Unit::Seconds,
            metrics.not_after.clone(),
        );
        registry.register(
            "authority_errors",
            "Things that went wrong while certificates were looked after",
            metrics.errors.clone(),
        );
        registry.register(
            "authority_writes",
            "Writes of the authority's Secret and of webhook configurations; none at rest",
            metrics.writes.clone(),
        );
        metrics
    }

    /// The Secret was written.
    pub(crate) fn wrote_secret(&self) {
        self.writes.get_or_create(&ObjectLabels { object: "secret" }).inc();
    }

    /// A webhook configuration was written.
    pub(crate) fn wrote_registration(&self) {
        self.writes.get_or_create(&ObjectLabels { object: "webhook-configuration" }).inc();
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    path: &'static str,
    operation: &'static str,
    allowed: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabels {
    path: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    path: &'static str,
    code: u16,
}

impl Metrics {
    /// Metrics, and the registry that shows them.
    pub fn new() -> (Self, Registry) {
        let metrics = Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            errors: Family::default(),
            connections: Gauge::default(),
            cert_not_after: Gauge::default(),
            handshakes: Handshakes::default(),
        };
        let mut registry = Registry::with_prefix("rds_webhook");
        shared::telemetry::register_build(&mut registry, env!("CARGO_PKG_VERSION"));
        registry.register("requests", "Reviews that were answered", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from the header of a review to its answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register("http_errors", "Requests that got an HTTP error instead of a review", metrics.errors.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register_with_unit(
            "cert_not_after",
            "End of the served certificate in Unix time, 0 without one",
            Unit::Seconds,
            metrics.cert_not_after.clone(),
        );
        registry.register("handshakes_failed", "TLS handshakes that failed, by reason", metrics.handshakes.0.clone());
        (metrics, registry)
    }

    /// A review was answered. `operation` is absent where the request could not be read.
    pub fn answered(&self, endpoint: Endpoint, operation: Option<Operation>, allowed: bool, took: Duration) {
        let path = endpoint.as_str();
        let operation = operation.map_or("unknown", Operation::as_str);
        let allowed = if allowed { "true" } else { "false" };
        self.requests.get_or_create(&RequestLabels { path, operation, allowed }).inc();
        self.duration.get_or_create(&EndpointLabels { path }).observe(took.as_secs_f64());
    }

    /// A request got an HTTP error.
    pub fn failed(&self, endpoint: Endpoint, code: u16) {
        self.errors.get_or_create(&ErrorLabels { path: endpoint.as_str(), code }).inc();
    }
}
