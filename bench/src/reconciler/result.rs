//! What was measured of the reconciler, as tables.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Figures;
use super::journey::Journey;
use super::memory::Watched;
use crate::args::ReconcilerPlan;
use crate::latencies::{Latencies, show};
use crate::report::{Table, mib, verdict};

/// The longest from `kubectl apply` to Ready over the cloud's own time.
const OVER: Duration = Duration::from_secs(2);

/// The most memory with all objects, in KiB.
const MEMORY: u64 = 40 * 1024;

/// The results.
pub(super) fn tables(plan: &ReconcilerPlan, size: u64, figures: &Figures) -> Result<Vec<Table>> {
    let over = latencies(figures, Journey::over)?;
    let Figures { together: (together, took), maker, successor, .. } = figures;

    let mut summary = Table::new("Against the targets", "", &["", "measured", "target"]);
    summary.row([
        "kubectl apply to Ready, over the cloud's own time",
        &format!("median {}, longest {} of {}", show(over.quantile(0.5)), show(over.longest()), over.count()),
        &verdict("under 2 s", over.longest() < OVER),
    ]);
    let memory = |watched: &Watched| {
        [
            format!("{} at rest, {} at its peak", mib(watched.most), mib(watched.peak)),
            verdict("under 40 MiB", watched.peak < MEMORY),
        ]
    };
    let objects = plan.objects;
    let row = |name: String, watched| [vec![name], memory(watched).to_vec()].concat();
    summary.row(row(format!("resident memory, {objects} objects Ready, of the process that made them"), maker));
    summary.row(row(format!("resident memory, {objects} objects Ready, of one started after that"), successor));
    summary.row(["size of the binary", &mib(size / 1024), ""]);

    let note = format!(
        "{} objects, one after the other; each is a PostgreSQL server of its own, of the major version 12, with two users and a \
         database; durations of AWS times {}",
        over.count(),
        plan.time_scale
    );
    let mut journeys = Table::new("From kubectl apply to Ready", note, &["", "median", "longest"]);
    let parts: [(&str, Part); 6] = [
        ("kubectl itself", |journey| journey.kubectl),
        ("start of kubectl to CreateDBInstance accepted", |journey| journey.accepted),
        ("the local RDS's own time: accepted to available", |journey| journey.cloud),
        ("available to Ready", Journey::finishing),
        ("all in all", |journey| journey.total),
        ("all in all, without the local RDS's own time", Journey::over),
    ];
    for (name, part) in parts {
        let latencies = latencies(figures, part)?;
        journeys.row([name, &show(latencies.quantile(0.5)), &show(latencies.longest())]);
    }

    let note = format!(
        "for {} s, with {objects} objects; {together} of them were made at once and all Ready after {}, most of which the creation of as \
         many PostgreSQL servers takes",
        plan.rest,
        show(*took)
    );
    let mut rest = Table::new("At rest", note, &REST);
    for (name, watched) in [("the process that made them", maker), ("one started after that", successor)] {
        let cpu = format!("{:.2} %", watched.cpu * 100.0);
        rest.row([name, &mib(watched.median), &mib(watched.most), &mib(watched.peak), &cpu]);
    }
    Ok(vec![summary, journeys, rest])
}

/// A duration of each object.
type Part = fn(&Journey) -> Duration;

const REST: [&str; 5] = ["", "memory, median", "memory, most", "memory, peak since its start", "share of a CPU"];

fn latencies(figures: &Figures, part: impl Fn(&Journey) -> Duration) -> Result<Latencies> {
    Latencies::new(figures.journeys.iter().map(part).collect()).context("no object was timed")
}
