//! How long things take, of a seed: with some instances long, with some not.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rds_model::Timetable;

/// How long things take in a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pace {
    /// As RDS says they do on average.
    Average,
    /// As on average, but for the hours after a change of the storage.
    Brisk,
    /// Each instance has a timetable of its own, which the seed draws.
    Seeded(u64),
}

impl Pace {
    /// The timetable of the instance that is the `nth` of its cloud.
    pub(super) fn timetable(self, nth: u64) -> Timetable {
        match self {
            Self::Average => Timetable::scaled(1.0, 1.0),
            Self::Brisk => Timetable {
                optimization: Duration::from_mins(3),
                storage_cooldown: Duration::from_mins(3),
                ..Timetable::scaled(1.0, 1.0)
            },
            Self::Seeded(seed) => drawn(&mut StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(nth))),
        }
    }
}

/// Between an eighth of the average and three times it, each by itself. What lies within something else is a part of it.
fn drawn(chance: &mut StdRng) -> Timetable {
    let average = Timetable::scaled(1.0, 1.0);
    let mut about = |duration: Duration| duration.mul_f64(0.125 * 24_f64.powf(chance.random()));
    let mut times = Timetable {
        creation: about(average.creation),
        backup: about(average.backup),
        modification: about(average.modification),
        optimization: about(average.optimization),
        credentials: about(average.credentials),
        reboot: about(average.reboot),
        stop: about(average.stop),
        start: about(average.start),
        deletion: about(average.deletion),
        ..average
    };
    times.lag = times.modification.mul_f64(chance.random_range(0.0..0.9)).min(Duration::from_secs(30));
    times.final_snapshot = times.deletion.mul_f64(chance.random_range(0.1..1.0));
    // The six hours are going: a volume that has been optimized can be changed again [Amazon EBS User Guide, "Modify a volume"].
    if chance.random() {
        times.storage_cooldown = times.optimization;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_each_instance_the_same_times_again_and_parts_fit_into_their_wholes() {
        let times = |seed, nth| Pace::Seeded(seed).timetable(nth);
        assert_eq!(times(1, 1), times(1, 1));
        assert!(times(1, 1) != times(1, 2) && times(1, 1) != times(2, 1));
        for seed in 0..1000 {
            let times = times(seed, 0);
            assert!(times.lag < times.modification && times.final_snapshot < times.deletion, "{times:?}");
            assert!(
                times.creation >= Duration::from_secs(37) && times.creation < Duration::from_secs(900),
                "{times:?}"
            );
        }
    }
}
