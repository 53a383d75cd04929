//! What was promised of the webhook, and whether it holds.

use super::figures::{Figures, Round};
use super::loads::{SMALL_1000, SMALL_RATES, is_large, is_small_on_kept_connections};
use super::result::{milliseconds, ratio};
use super::service::Kind;
use crate::report::{Table, mib_of, verdict};
use crate::statistics::Spread;

/// Most CPU time for a request, as a part of the peer's.
const CPU: f64 = 0.35;
/// The same where objects are large.
const CPU_LARGE: f64 = 0.25;
/// Most memory at its peak, as a part of the peer's.
const PEAK: f64 = 1.0 / 3.0;
/// Longest start, as a part of the peer's.
const START: f64 = 0.2;
/// Most CPU time for a small review, as a multiple of the floor's.
const ABOVE_FLOOR: f64 = 1.5;
/// The longest that 99 of 100 answers may take at 1,000 requests a second, in seconds.
const P99: f64 = 0.002;
/// The most memory, in KiB.
const MEMORY: f64 = 15.0 * 1024.0;

/// Every target, with what was measured.
pub(super) fn table(figures: &Figures) -> Table {
    let note = "medians, in parentheses the smallest and the largest; ratios are taken round by round";
    let mut table = Table::new("Against the targets", note, &["", "measured", "target"]);
    for row in beside_the_peer(figures).into_iter().chain(above_the_floor(figures)).chain(by_itself(figures)) {
        table.row(row);
    }
    table
}

type Row = [String; 3];

/// A ratio and the most that it may be.
fn at_most(what: String, measured: Spread, limit: f64, whose: &str) -> Row {
    [what, measured.show(ratio), verdict(&format!("at most {limit:.2} of {whose}"), measured.median <= limit)]
}

fn beside_the_peer(figures: &Figures) -> Vec<Row> {
    let loads = || figures.loads.iter().enumerate();
    let compared = |load, figure: fn(&Round) -> f64| figures.ratio(Kind::Peer, load, figure);
    let cpu = loads().filter_map(|(index, load)| {
        let limit = if is_large(load) { CPU_LARGE } else { CPU };
        Some(at_most(format!("CPU a request, {load}"), compared(index, |round| round.cpu)?, limit, "the peer's"))
    });
    let peak = loads().filter_map(|(index, load)| {
        Some(at_most(format!("peak memory, {load}"), compared(index, |round| round.peak)?, PEAK, "the peer's"))
    });
    let start = figures
        .start_ratio(Kind::Peer)
        .map(|start| at_most("start: exec to first TLS answer".into(), start, START, "the peer's"));
    let p99 = loads().filter(|(_, load)| SMALL_RATES.contains(&load.as_str())).filter_map(|(index, load)| {
        let p99 = |kind| figures.of(kind)?.spread(index, |round| round.p99);
        let (ours, theirs) = (p99(Kind::Ours)?, p99(Kind::Peer)?);
        let target = format!("no more than the peer's {}", theirs.show(milliseconds));
        Some([format!("p99, {load}"), ours.show(milliseconds), verdict(&target, ours.median <= theirs.median)])
    });
    cpu.chain(peak).chain(start).chain(p99).collect()
}

fn above_the_floor(figures: &Figures) -> Vec<Row> {
    let small = figures.loads.iter().enumerate().filter(|(_, load)| is_small_on_kept_connections(load));
    let rows = small.filter_map(|(index, load)| {
        let measured = figures.ratio(Kind::Floor, index, |round| round.cpu)?;
        Some(at_most(format!("CPU a request, {load}"), measured, ABOVE_FLOOR, "the floor's"))
    });
    rows.collect()
}

fn by_itself(figures: &Figures) -> Vec<Row> {
    let Some(ours) = figures.of(Kind::Ours) else { return Vec::new() };
    let p99 = figures.loads.iter().position(|load| load == SMALL_1000).and_then(|index| {
        let p99 = ours.spread(index, |round| round.p99)?;
        Some([format!("p99, {SMALL_1000}"), p99.show(milliseconds), verdict("under 2 ms", p99.median < P99)])
    });
    let memory = |what: String, most: f64| [what, mib_of(most), verdict("under 15 MiB", most < MEMORY)];
    let at_rest = ours.spread_of_all(|round| round.at_rest);
    let at_rest = at_rest.map(|memory_at_rest| memory("resident memory at rest, at most".into(), memory_at_rest.high));
    let peaks = figures.loads.iter().enumerate().filter_map(|(index, load)| {
        Some(memory(format!("resident memory, peak, {load}, at most"), ours.spread(index, |round| round.peak)?.high))
    });
    p99.into_iter().chain(at_rest).chain(peaks).collect()
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::measured;
    use super::super::loads::SMALL_CLOSED;
    use super::*;

    fn figures(ours: u64, peak: u64) -> Figures {
        Figures {
            loads: vec![SMALL_CLOSED.into()],
            measured: vec![
                measured(Kind::Ours, &[ours], peak),
                measured(Kind::Peer, &[100], 3000),
                measured(Kind::Floor, &[20], 500),
            ],
        }
    }

    #[test]
    fn targets_are_met_up_to_their_limit() {
        let met = beside_the_peer(&figures(20, 1000));
        assert!(met.iter().all(|row| row[2].ends_with(": met")), "{met:#?}");
        let missed = beside_the_peer(&figures(36, 1001));
        assert_eq!(missed.len(), 3);
        assert!(missed.iter().all(|row| row[2].ends_with(": MISSED")), "{missed:#?}");
        assert!(above_the_floor(&figures(30, 1))[0][2].ends_with(": met"));
        assert!(above_the_floor(&figures(31, 1))[0][2].ends_with(": MISSED"));
    }
}
