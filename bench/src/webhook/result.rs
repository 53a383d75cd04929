//! What was measured of the webhook, as tables.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::args::WebhookPlan;
use crate::latencies::{Latencies, show};
use crate::report::{Table, mib, verdict};

/// The longest that 99 of 100 answers may take at 1,000 requests a second.
const P99: Duration = Duration::from_millis(2);

/// The most memory, in KiB.
const MEMORY: u64 = 15 * 1024;

/// One round.
#[derive(Debug)]
pub(super) struct Figures {
    /// Of every request.
    pub(super) latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub(super) elapsed: Duration,
    /// CPU time of the service.
    pub(super) cpu: Duration,
    /// CPU time of whoever asked.
    pub(super) generator_cpu: Duration,
    /// Memory before the first request, in KiB.
    pub(super) at_rest: u64,
    /// The most memory, in KiB.
    pub(super) peak: u64,
}

/// All rounds of one load.
#[derive(Debug)]
pub(super) struct Measured {
    name: String,
    rounds: Vec<Figures>,
}

impl Measured {
    /// A load that was not measured yet.
    pub(super) fn new(name: String) -> Self {
        Self { name, rounds: Vec::new() }
    }

    /// One more round.
    pub(super) fn add(&mut self, round: Figures) {
        self.rounds.push(round);
    }

    /// All rounds as if they were one.
    fn latencies(&self) -> Result<Latencies> {
        let all = self.rounds.iter().flat_map(|round| round.latencies.iter().copied()).collect();
        Latencies::new(all).with_context(|| format!("nothing was measured of {}", self.name))
    }

    fn peak(&self) -> u64 {
        self.rounds.iter().map(|round| round.peak).max().unwrap_or_default()
    }

    fn total(&self, of: impl Fn(&Figures) -> Duration) -> f64 {
        self.rounds.iter().map(|round| of(round).as_secs_f64()).sum()
    }

    fn row(&self) -> Result<[String; 10]> {
        let latencies = self.latencies()?;
        // Counts of requests are far below 2^52.
        #[expect(clippy::cast_precision_loss)]
        let count = latencies.count() as f64;
        let per_100_000 = |seconds: f64| format!("{:.1} s", seconds / count * 100_000.0);
        Ok([
            self.name.clone(),
            latencies.count().to_string(),
            format!("{:.0}/s", count / self.total(|round| round.elapsed)),
            show(latencies.quantile(0.5)),
            show(latencies.quantile(0.99)),
            show(latencies.quantile(0.999)),
            show(latencies.longest()),
            per_100_000(self.total(|round| round.cpu)),
            per_100_000(self.total(|round| round.generator_cpu)),
            mib(self.peak()),
        ])
    }

    /// The 99th percentile of each round.
    fn each_p99(&self) -> String {
        let each = self.rounds.iter().filter_map(|round| Latencies::new(round.latencies.clone()));
        each.map(|latencies| show(latencies.quantile(0.99))).collect::<Vec<_>>().join(", ")
    }
}

/// The results; the first load is the one that the targets speak of.
pub(super) fn tables(plan: &WebhookPlan, size: u64, starts: &Latencies, measured: &[Measured]) -> Result<Vec<Table>> {
    let first = measured.first().context("nothing was measured")?;
    let p99 = first.latencies()?.quantile(0.99);
    let at_rest = measured.iter().flat_map(|load| &load.rounds).map(|round| round.at_rest).max().unwrap_or_default();

    let mut summary = Table::new("Against the targets", "", &["", "measured", "target"]);
    summary.row([
        format!("p99, {}", first.name),
        format!("{} (by round: {})", show(p99), first.each_p99()),
        verdict("under 2 ms", p99 < P99),
    ]);
    summary.row(["resident memory at rest", &mib(at_rest), &verdict("under 15 MiB", at_rest < MEMORY)]);
    for load in measured {
        summary.row([
            format!("resident memory, peak, {}", load.name),
            mib(load.peak()),
            verdict("under 15 MiB", load.peak() < MEMORY),
        ]);
    }
    summary.row([
        "start: exec to first TLS answer".to_owned(),
        format!("median {}, longest {} of {}", show(starts.quantile(0.5)), show(starts.longest()), starts.count()),
        String::new(),
    ]);
    summary.row(["size of the binary", &mib(size / 1024), ""]);

    let note = format!(
        "{} keep-alive TLS 1.3 connections from the same machine, /mutate and /validate in turn, {} rounds of each, each with a fresh \
         process; at a fixed rate a latency counts from when its request was due",
        plan.connections, plan.rounds
    );
    let header = [
        "load",
        "requests",
        "reached",
        "p50",
        "p99",
        "p99.9",
        "max",
        "CPU a 100,000",
        "load generator's",
        "peak memory",
    ];
    let mut loads = Table::new("Load", note, &header);
    for load in measured {
        loads.row(load.row()?);
    }
    Ok(vec![summary, loads])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(millis: u64, peak: u64) -> Figures {
        Figures {
            latencies: vec![Duration::from_millis(millis); 500],
            elapsed: Duration::from_secs(2),
            cpu: Duration::from_millis(250),
            generator_cpu: Duration::from_millis(500),
            at_rest: 1024,
            peak,
        }
    }

    #[test]
    fn rounds_are_put_together() {
        let mut measured = Measured::new("small".into());
        measured.add(round(1, 3 * 1024));
        measured.add(round(3, 2 * 1024));
        let row = measured.row().unwrap();
        let expected =
            ["small", "1000", "250/s", "1.000 ms", "3.000 ms", "3.000 ms", "3.000 ms", "50.0 s", "100.0 s", "3.0 MiB"];
        assert_eq!(row, expected);
        assert_eq!(measured.each_p99(), "1.000 ms, 3.000 ms");
    }
}
