//! What was measured, of whom, under which load.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::service::Kind;
use crate::latencies::Latencies;
use crate::statistics::Spread;

/// One round of a load, as it was measured.
#[derive(Debug)]
pub(super) struct Sample {
    /// Of every request.
    pub(super) latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub(super) elapsed: Duration,
    /// CPU time of the service.
    pub(super) cpu: Duration,
    /// CPU time of whoever asked.
    pub(super) generator_cpu: Duration,
    /// Resident memory before the first request, in KiB.
    pub(super) at_rest: u64,
    /// The same, pages that others have as well in part.
    pub(super) share_at_rest: u64,
    /// The most resident memory, in KiB.
    pub(super) peak: u64,
}

/// The figures of one round. Times are in seconds, memory is in KiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Round {
    /// Requests.
    pub(super) count: f64,
    /// Requests a second.
    pub(super) reached: f64,
    /// Latency of the request in the middle.
    pub(super) p50: f64,
    /// The longest latency of 99 % of all.
    pub(super) p99: f64,
    /// The longest latency of 99.9 % of all.
    pub(super) p999: f64,
    /// The longest latency.
    pub(super) longest: f64,
    /// CPU time of the service for 100,000 requests.
    pub(super) cpu: f64,
    /// CPU time of whoever asked for 100,000 requests.
    pub(super) generator_cpu: f64,
    /// Resident memory before the first request.
    pub(super) at_rest: f64,
    /// The same, pages that others have as well in part.
    pub(super) share_at_rest: f64,
    /// The most resident memory.
    pub(super) peak: f64,
}

impl Round {
    /// The figures of a sample; none of one without requests.
    // Counts of requests and KiB are far below 2^52.
    #[expect(clippy::cast_precision_loss)]
    pub(super) fn of(sample: Sample) -> Option<Self> {
        let latencies = Latencies::new(sample.latencies)?;
        let count = latencies.count() as f64;
        let per_100_000 = |time: Duration| time.as_secs_f64() / count * 100_000.0;
        let quantile = |share| latencies.quantile(share).as_secs_f64();
        Some(Self {
            count,
            reached: count / sample.elapsed.as_secs_f64(),
            p50: quantile(0.5),
            p99: quantile(0.99),
            p999: quantile(0.999),
            longest: quantile(1.0),
            cpu: per_100_000(sample.cpu),
            generator_cpu: per_100_000(sample.generator_cpu),
            at_rest: sample.at_rest as f64,
            share_at_rest: sample.share_at_rest as f64,
            peak: sample.peak as f64,
        })
    }
}

/// Everything that was measured of one program.
#[derive(Debug)]
pub(super) struct Measured {
    /// Who it is.
    pub(super) kind: Kind,
    /// The size of its file, in KiB.
    pub(super) size: u64,
    /// From exec to the first answer.
    pub(super) starts: Vec<Duration>,
    /// The rounds of each load, in the order of the loads.
    pub(super) rounds: Vec<Vec<Round>>,
}

impl Measured {
    /// A program that was not measured yet.
    pub(super) fn new(kind: Kind, program: &Path, loads: usize) -> Result<Self> {
        let size = fs::metadata(program).with_context(|| program.display().to_string())?.len() / 1024;
        Ok(Self { kind, size, starts: Vec::new(), rounds: vec![Vec::new(); loads] })
    }

    /// A figure of a load, over its rounds.
    pub(super) fn spread(&self, load: usize, figure: impl Fn(&Round) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.get(load)?.iter().map(figure))
    }

    /// A figure over all rounds of all loads.
    pub(super) fn spread_of_all(&self, figure: impl Fn(&Round) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().flatten().map(figure))
    }

    /// The starts, in seconds.
    pub(super) fn start(&self) -> Option<Spread> {
        Spread::of(self.starts.iter().map(Duration::as_secs_f64))
    }
}

/// Everything that was measured.
#[derive(Debug)]
pub(super) struct Figures {
    /// The names of the loads.
    pub(super) loads: Vec<String>,
    /// Who was measured, ours first.
    pub(super) measured: Vec<Measured>,
}

impl Figures {
    /// What was measured of somebody, if he was there.
    pub(super) fn of(&self, kind: Kind) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.kind == kind)
    }

    /// Our figure as a part of somebody else's, round by round: what disturbs a round disturbs both.
    pub(super) fn ratio(&self, to: Kind, load: usize, figure: impl Fn(&Round) -> f64) -> Option<Spread> {
        let (ours, theirs) = (self.of(Kind::Ours)?.rounds.get(load)?, self.of(to)?.rounds.get(load)?);
        Spread::of(ours.iter().zip(theirs).map(|(ours, theirs)| figure(ours) / figure(theirs)))
    }

    /// Our start as a part of somebody else's, one by one.
    pub(super) fn start_ratio(&self, to: Kind) -> Option<Spread> {
        let (ours, theirs) = (self.of(Kind::Ours)?, self.of(to)?);
        Spread::of(
            ours.starts.iter().zip(&theirs.starts).map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64()),
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A round of 1000 requests which took so many milliseconds each, in wall-clock and twice that in CPU time.
    pub(in crate::webhook) fn round(millis: u64, peak: u64) -> Round {
        Round::of(Sample {
            latencies: vec![Duration::from_millis(millis); 1000],
            elapsed: Duration::from_secs(millis),
            cpu: Duration::from_secs(2 * millis),
            generator_cpu: Duration::from_secs(millis),
            at_rest: 1024,
            share_at_rest: 512,
            peak,
        })
        .unwrap()
    }

    /// Somebody whose rounds of the one load took so long.
    pub(in crate::webhook) fn measured(kind: Kind, millis: &[u64], peak: u64) -> Measured {
        Measured {
            kind,
            size: 2048,
            starts: vec![Duration::from_millis(millis[0])],
            rounds: vec![millis.iter().map(|&millis| round(millis, peak)).collect()],
        }
    }

    #[test]
    fn figures_are_those_of_one_request_or_of_100_000() {
        let round = round(2, 4096);
        assert_eq!((round.count, round.reached), (1000.0, 500.0));
        assert_eq!((round.p50, round.p99, round.longest), (0.002, 0.002, 0.002));
        assert_eq!((round.cpu, round.generator_cpu), (400.0, 200.0));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let figures = Figures {
            loads: vec!["small".into()],
            measured: vec![measured(Kind::Ours, &[1, 2, 3], 100), measured(Kind::Peer, &[4, 8, 4], 400)],
        };
        let ratio = figures.ratio(Kind::Peer, 0, |round| round.cpu).unwrap();
        assert_eq!(ratio, Spread { median: 0.25, low: 0.25, high: 0.75 });
        assert_eq!(figures.start_ratio(Kind::Peer), Spread::of([0.25]));
        assert_eq!(figures.ratio(Kind::Floor, 0, |round| round.cpu), None);
    }
}
