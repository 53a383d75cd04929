//! What the reconciler counts. Labels are bounded: no object's name is ever one.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::providers::CloudError;

/// A pass without effects takes milliseconds, one that waits for a sweep or for SQL seconds.
const PASS_SECONDS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    action: &'static str,
    result: String,
}

/// Calls to the cloud, by action and by the code of the answer.
#[derive(Clone, Debug, Default)]
pub struct CloudCalls(Family<CallLabels, Counter>);

impl CloudCalls {
    /// Counts one call. Codes are the provider's own, a closed set.
    pub fn count(&self, action: &'static str, error: Option<&CloudError>) {
        let result = error.map_or_else(|| "ok".to_owned(), |error| error.code.clone());
        self.0.get_or_create(&CallLabels { action, result }).inc();
    }
}

/// The metrics of the process.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Calls to the cloud.
    pub cloud_calls: CloudCalls,
    /// Steps carried out inside databases.
    pub sql_steps: Counter,
    /// 1 where this replica holds the Lease.
    pub leader: Gauge,
    /// 1 where the default account answers.
    pub cloud_ready: Gauge,
    passes: Family<ResultLabel, Counter>,
    pass_seconds: Histogram,
}

impl Metrics {
    /// Registers all of them under `rds_reconciler_`.
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("rds_reconciler");
        let metrics = Self {
            cloud_calls: CloudCalls::default(),
            sql_steps: Counter::default(),
            leader: Gauge::default(),
            cloud_ready: Gauge::default(),
            passes: Family::default(),
            pass_seconds: Histogram::new(PASS_SECONDS),
        };
        registry.register("cloud_calls", "Calls to the cloud by action and result", metrics.cloud_calls.0.clone());
        registry.register("sql_steps", "Steps carried out inside databases", metrics.sql_steps.clone());
        registry.register("leader", "1 where this replica holds the Lease", metrics.leader.clone());
        registry.register("cloud_ready", "1 where the default account answers", metrics.cloud_ready.clone());
        registry.register("passes", "Passes over an object by result", metrics.passes.clone());
        registry.register("pass_seconds", "Duration of a pass over an object", metrics.pass_seconds.clone());
        metrics
    }

    /// Counts one pass.
    pub fn pass(&self, result: &'static str, seconds: f64) {
        self.passes.get_or_create(&ResultLabel { result }).inc();
        self.pass_seconds.observe(seconds);
    }
}
