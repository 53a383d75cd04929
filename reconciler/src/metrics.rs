//! What the reconciler counts. Labels are bounded: no object's name is ever one.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::providers::error::CloudError;

/// A pass without effects takes milliseconds, one that waits for a sweep or for SQL seconds.
const PASS_SECONDS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// RDS answers in well under a second; a call is given up after 20.
const CALL_SECONDS: [f64; 8] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 20.0];
/// RDS makes an instance in five to twenty minutes.
const READY_SECONDS: [f64; 10] = [60.0, 180.0, 300.0, 450.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 14400.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    action: &'static str,
    result: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabel {
    action: &'static str,
}

/// Calls to the cloud: how many, by action and by the code of the answer, and how long they took.
#[derive(Clone, Debug)]
pub struct CloudCalls {
    counts: Family<CallLabels, Counter>,
    seconds: Family<ActionLabel, Histogram, fn() -> Histogram>,
}

impl Default for CloudCalls {
    fn default() -> Self {
        Self { counts: Family::default(), seconds: Family::new_with_constructor(|| Histogram::new(CALL_SECONDS)) }
    }
}

impl CloudCalls {
    /// Counts one call that has just ended. Codes are the provider's own, a closed set.
    pub fn ended(&self, action: &'static str, error: Option<&CloudError>, began: Instant) {
        let result = error.map_or_else(|| "ok".to_owned(), |error| error.code.clone());
        self.counts.get_or_create(&CallLabels { action, result }).inc();
        self.seconds.get_or_create(&ActionLabel { action }).observe(began.elapsed().as_secs_f64());
    }
}

/// The metrics of the process.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Calls to the cloud.
    pub cloud_calls: CloudCalls,
    /// Steps carried out inside databases.
    pub sql_steps: Counter,
    /// 1 where this replica works: it holds the Lease, or there is none to hold.
    pub leader: Gauge,
    /// From an object's creation to its first Ready.
    pub ready_seconds: Histogram,
    /// 1 where the default account answers.
    pub cloud_ready: Gauge,
    /// Instances of this cluster's without an object.
    pub orphans: Gauge,
    passes: Family<ResultLabel, Counter>,
    pass_seconds: Histogram,
}

impl Metrics {
    /// Registers all of them under `rds_reconciler_`.
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("rds_reconciler");
        shared::telemetry::register_build(registry, env!("CARGO_PKG_VERSION"));
        let metrics = Self {
            cloud_calls: CloudCalls::default(),
            sql_steps: Counter::default(),
            leader: Gauge::default(),
            ready_seconds: Histogram::new(READY_SECONDS),
            cloud_ready: Gauge::default(),
            orphans: Gauge::default(),
            passes: Family::default(),
            pass_seconds: Histogram::new(PASS_SECONDS),
        };
        registry.register("cloud_calls", "Calls to the cloud by action and result", metrics.cloud_calls.counts.clone());
        registry.register(
            "cloud_call_seconds",
            "Duration of a call to the cloud by action, without the wait for its turn",
            metrics.cloud_calls.seconds.clone(),
        );
        registry.register("sql_steps", "Steps carried out inside databases", metrics.sql_steps.clone());
        registry.register(
            "leader",
            "1 where this replica works, as the holder of the Lease or without one",
            metrics.leader.clone(),
        );
        registry.register(
            "time_to_ready_seconds",
            "Time from the creation of an object to its first Ready",
            metrics.ready_seconds.clone(),
        );
        registry.register("cloud_ready", "1 where the default account answers", metrics.cloud_ready.clone());
        let orphans =
            "Instances that carry this cluster's tags and have no RDSDatabase, but for those that were kept on purpose";
        registry.register("orphaned_instances", orphans, metrics.orphans.clone());
        registry.register("passes", "Passes over an object by result", metrics.passes.clone());
        registry.register("pass_seconds", "Duration of a pass over an object", metrics.pass_seconds.clone());
        metrics
    }

    /// Counts one pass.
    pub fn pass(&self, result: &'static str, took: Duration) {
        self.passes.get_or_create(&ResultLabel { result }).inc();
        self.pass_seconds.observe(took.as_secs_f64());
    }
}
