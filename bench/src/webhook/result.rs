//! What was measured of the webhook, as tables.

use super::agreement::Agreement;
use super::figures::{Figures, Measured, Round};
use super::service::Kind;
use super::targets;
use crate::args::WebhookPlan;
use crate::latencies::show;
use crate::report::{Table, mib_of};
use crate::statistics::Spread;

/// The results, the comparisons first.
pub(super) fn tables(plan: &WebhookPlan, agreement: Option<&Agreement>, figures: &Figures) -> Vec<Table> {
    let mut tables = vec![targets::table(figures), cpu(plan, figures), loads(figures), memory(figures)];
    tables.extend(agreement.map(Agreement::table));
    tables
}

/// Seconds, for people.
pub(super) fn milliseconds(seconds: f64) -> String {
    show(std::time::Duration::from_secs_f64(seconds))
}

/// A ratio, for people.
pub(super) fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

fn cpu(plan: &WebhookPlan, figures: &Figures) -> Table {
    let note = format!(
        "{} connections from the same machine, /mutate and /validate in turn, {} rounds with one contender after the other, always with \
         a fresh process",
        plan.connections, plan.rounds
    );
    let seconds = |seconds: f64| format!("{seconds:.2}");
    compared("CPU seconds for 100,000 requests", &note, figures, |index, measured| {
        Some(measured.spread(index, |round| round.cpu)?.show(seconds))
    })
}

/// One row for each load and one column for each contender, with the ratios of CPU time.
fn compared(title: &str, note: &str, figures: &Figures, cell: impl Fn(usize, &Measured) -> Option<String>) -> Table {
    let names = figures.measured.iter().map(|measured| measured.kind.name());
    let others: Vec<Kind> =
        figures.measured.iter().map(|measured| measured.kind).filter(|&kind| kind != Kind::Ours).collect();
    let ratios = others.iter().map(|kind| match kind {
        Kind::Floor => "times the floor's",
        _ => "of the peer's",
    });
    let header: Vec<&str> = ["load"].into_iter().chain(names).chain(ratios).collect();
    let mut table = Table::new(title, note, &header);
    for (index, load) in figures.loads.iter().enumerate() {
        let cells = figures.measured.iter().map(|measured| cell(index, measured).unwrap_or_default());
        let ratios = others.iter().map(|&kind| {
            figures.ratio(kind, index, |round| round.cpu).map(|spread| spread.show(ratio)).unwrap_or_default()
        });
        table.row([load.clone()].into_iter().chain(cells).chain(ratios));
    }
    table
}

fn loads(figures: &Figures) -> Table {
    let note = "medians of the rounds, of p99 also the smallest and the largest; at a fixed rate a latency counts from when its request was due";
    let header =
        ["load", "who", "requests", "reached", "p50", "p99", "p99.9", "longest", "load generator's CPU a 100,000"];
    let mut table = Table::new("Latency and throughput", note, &header);
    for (index, load) in figures.loads.iter().enumerate() {
        for measured in &figures.measured {
            let of = |figure: fn(&Round) -> f64| measured.spread(index, figure);
            let median =
                |figure, show: fn(f64) -> String| of(figure).map(|spread| show(spread.median)).unwrap_or_default();
            table.row([
                load.clone(),
                measured.kind.name().to_owned(),
                median(|round| round.count, |count| format!("{count:.0}")),
                median(|round| round.reached, |reached| format!("{reached:.0}/s")),
                median(|round| round.p50, milliseconds),
                of(|round| round.p99).map(|p99| p99.show(milliseconds)).unwrap_or_default(),
                median(|round| round.p999, milliseconds),
                median(|round| round.longest, milliseconds),
                median(|round| round.generator_cpu, |seconds| format!("{seconds:.2} s")),
            ]);
        }
    }
    table
}

fn memory(figures: &Figures) -> Table {
    let names = figures.measured.iter().map(|measured| measured.kind.name());
    let header: Vec<&str> = [""].into_iter().chain(names).collect();
    let mut table =
        Table::new("Memory, start and size", "medians, in parentheses the smallest and the largest", &header);
    let mut row = |what: String, cell: &dyn Fn(&Measured) -> Option<String>| {
        let cells = figures.measured.iter().map(|measured| cell(measured).unwrap_or_default());
        table.row([what].into_iter().chain(cells));
    };
    let mib = |spread: Option<Spread>| Some(spread?.show(mib_of));
    row("resident at rest".into(), &|measured| mib(measured.spread_of_all(|round| round.at_rest)));
    row("share at rest (PSS)".into(), &|measured| mib(measured.spread_of_all(|round| round.share_at_rest)));
    for (index, load) in figures.loads.iter().enumerate() {
        row(format!("peak, {load}"), &|measured| mib(measured.spread(index, |round| round.peak)));
    }
    row("start: exec to first TLS answer".into(), &|measured| Some(measured.start()?.show(milliseconds)));
    #[expect(clippy::cast_precision_loss, reason = "a program has less than 2^52 KiB")]
    row("size of the binary".into(), &|measured| Some(mib_of(measured.size as f64)));
    table
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::measured;
    use super::*;

    #[test]
    fn whoever_was_measured_has_a_column_and_everybody_else_a_ratio() {
        let figures = Figures {
            loads: vec!["small".into()],
            measured: vec![measured(Kind::Ours, &[1, 3], 2048), measured(Kind::Peer, &[4, 4], 8192)],
        };
        let table = compared("CPU", "", &figures, |index, measured| {
            Some(measured.spread(index, |round| round.cpu)?.show(|seconds| format!("{seconds:.0}")))
        });
        let lines = "**CPU**\n\n\
                     | load  | rds-webhook      | controller-runtime | of the peer's       |\n\
                     | ----- | ---------------- | ------------------ | ------------------- |\n\
                     | small | 400 (200 to 600) | 800 (800 to 800)   | 0.50 (0.25 to 0.75) |\n";
        assert_eq!(table.markdown(), lines);
    }
}
