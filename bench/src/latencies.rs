//! Durations that were measured, and what of them is told.

use std::time::Duration;

/// Durations in ascending order; at least one.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Sorts what was measured; `None` when nothing was.
    pub(crate) fn new(mut measured: Vec<Duration>) -> Option<Self> {
        measured.sort_unstable();
        (!measured.is_empty()).then_some(Self(measured))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest one that at least `share` of all do not exceed (nearest rank): 0.5 is the median, 1.0 the longest.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        // Ranks beyond 2^52 do not occur; a share out of range is taken as the nearest end.
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// The longest.
    pub(crate) fn longest(&self) -> Duration {
        self.quantile(1.0)
    }
}

/// A duration for people, in milliseconds below a second.
pub(crate) fn show(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1000.0;
    match millis {
        ..10.0 => format!("{millis:.3} ms"),
        10.0..1000.0 => format!("{millis:.1} ms"),
        _ => format!("{:.2} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_values() {
        let latencies = Latencies::new((1..=1000).rev().map(Duration::from_micros).collect()).unwrap();
        let micros = |share| latencies.quantile(share).as_micros();
        assert_eq!([0.0, 0.5, 0.99, 0.999, 1.0].map(micros), [1, 500, 990, 999, 1000]);
        assert_eq!(Latencies::new(vec![Duration::from_secs(7)]).unwrap().quantile(0.5), Duration::from_secs(7));
        assert!(Latencies::new(Vec::new()).is_none());
    }

    #[test]
    fn durations_have_few_digits() {
        let shown = [431, 14_000, 2_340_000].map(|micros| show(Duration::from_micros(micros)));
        assert_eq!(shown, ["0.431 ms", "14.0 ms", "2.34 s"]);
    }
}
