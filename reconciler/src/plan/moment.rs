//! When something happened, as this process counts it: clocks that are set have no part in holds and back-offs.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on the monotonic clock of this process.
///
/// The wall clock is set back by an hour now and then; a hold that was to last a second would then last an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// Before anything that this process remembers.
    pub const LONG_AGO: Self = Self(Duration::ZERO);
    /// What a process counts from: [`Moment::LONG_AGO`] is out of reach of every hold.
    pub const START: Self = Self(Duration::from_secs(365 * 24 * 3600));

    /// How long ago `earlier` was; nothing where it is yet to come.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// How long it is until then, where it is yet to come.
    pub fn until(self, then: Self) -> Option<Duration> {
        then.0.checked_sub(self.0).filter(|left| !left.is_zero())
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }
}
