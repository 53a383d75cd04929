//! How long certificates live, and how long changes take.

use std::time::Duration;

/// Longest life of an authority: ten years.
const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// How long certificates live, and how long changes take. They fit each other: see [`Lifetimes::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of an authority.
    pub authority: Duration,
    /// Of a leaf.
    pub leaf: Duration,
    /// From the moment at which API servers are told to trust an authority to the first leaf of it.
    pub overlap: Duration,
    /// Between two looks at the cluster.
    pub poll: Duration,
}

/// Why lifetimes do not fit each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifetimesError {
    /// An authority would outlive every plan.
    #[error("--authority-lifetime={0:?} is too long: at most 87600h")]
    Authority(Duration),
    /// A leaf would live longer than what is left of its authority when the next one is announced.
    #[error("--leaf-lifetime={leaf:?} is not between 3s and a third of --authority-lifetime={authority:?}")]
    Leaf {
        /// Of a leaf.
        leaf: Duration,
        /// Of an authority.
        authority: Duration,
    },
    /// The next authority would not be in use when the current one ends.
    #[error("--authority-overlap={overlap:?} is not between 1s and a sixth of --authority-lifetime={authority:?}")]
    Overlap {
        /// From trust to use.
        overlap: Duration,
        /// Of an authority.
        authority: Duration,
    },
}

impl Lifetimes {
    /// Lifetimes that fit each other. The interval of looks shrinks where lives are so short that something would be missed.
    ///
    /// # Errors
    /// When a leaf lives longer than a third of its authority, or the overlap takes more than a sixth: the next authority is announced
    /// after two thirds, and has to be in use well before the end.
    pub fn new(authority: Duration, leaf: Duration, overlap: Duration, poll: Duration) -> Result<Self, LifetimesError> {
        if authority > LONGEST {
            return Err(LifetimesError::Authority(authority));
        }
        if leaf < Duration::from_secs(3) || leaf > authority / 3 {
            return Err(LifetimesError::Leaf { leaf, authority });
        }
        if overlap < Duration::from_secs(1) || overlap > authority / 6 {
            return Err(LifetimesError::Overlap { overlap, authority });
        }
        let poll = poll.min(overlap / 4).min(leaf / 12).max(Duration::from_millis(100));
        Ok(Self { authority, leaf, overlap, poll })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let hours = Duration::from_hours;
        let (minutes, seconds) = (Duration::from_mins, Duration::from_secs);
        for (authority, leaf, overlap, said) in [
            (hours(8760), hours(168), minutes(10), "fits"),
            (seconds(60), seconds(20), seconds(10), "fits"),
            (hours(90_000), hours(168), minutes(10), "--authority-lifetime=324000000s is too long: at most 87600h"),
            (
                hours(24),
                hours(9),
                minutes(10),
                "--leaf-lifetime=32400s is not between 3s and a third of --authority-lifetime=86400s",
            ),
            (
                hours(24),
                seconds(2),
                minutes(10),
                "--leaf-lifetime=2s is not between 3s and a third of --authority-lifetime=86400s",
            ),
            (
                hours(1),
                minutes(1),
                minutes(11),
                "--authority-overlap=660s is not between 1s and a sixth of --authority-lifetime=3600s",
            ),
        ] {
            let lifetimes = Lifetimes::new(authority, leaf, overlap, seconds(10));
            assert_eq!(lifetimes.err().map_or("fits".to_owned(), |error| error.to_string()), said);
        }
    }

    #[test]
    fn short_lives_are_watched_closely() {
        let seconds = Duration::from_secs;
        let poll = |authority, leaf, overlap| {
            Lifetimes::new(seconds(authority), seconds(leaf), seconds(overlap), seconds(10)).expect("fits").poll
        };
        assert_eq!(poll(8760 * 3600, 168 * 3600, 600), seconds(10));
        assert_eq!(poll(60, 12, 8), seconds(1));
    }
}
