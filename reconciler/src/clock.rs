//! What the time is: the one clock of a process. Whoever asks is given it, so that a test can stop it, step it or set it back.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;

/// The clock of one process.
pub trait Clock: Send + Sync + fmt::Debug {
    /// What people are told of time. It may be set, also back: no hold depends on it.
    fn wall(&self) -> Timestamp;
    /// What holds, back-offs and the Lease are counted by. No two readings are the same: what begins after one is known to be after it.
    fn now(&self) -> Moment;
}

/// A moment on the monotonic clock of one process.
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

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one who asks")]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Counts from the start of the machine, sleep included: `CLOCK_MONOTONIC` stands still while a machine is suspended, and a Lease does not.
    #[allow(clippy::disallowed_methods, reason = "this is the one who asks")]
    fn now(&self) -> Moment {
        #[cfg(target_os = "linux")]
        let clock = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let clock = rustix::time::ClockId::Monotonic;
        let now = rustix::time::clock_gettime(clock);
        let since_boot = Duration::from_secs(u64::try_from(now.tv_sec).unwrap_or_default())
            + Duration::from_nanos(u64::try_from(now.tv_nsec).unwrap_or_default());
        Moment::START + since_boot
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::Instant;

    use super::*;

    /// Goes with tokio's clock, which tests stop; each reading takes a nanosecond.
    #[derive(Debug)]
    pub(crate) struct TokioClock(Instant, AtomicU64);

    impl TokioClock {
        pub(crate) fn start() -> std::sync::Arc<Self> {
            std::sync::Arc::new(Self(Instant::now(), AtomicU64::default()))
        }
    }

    impl Clock for TokioClock {
        fn wall(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + self.0.elapsed()
        }

        fn now(&self) -> Moment {
            let readings = self.1.fetch_add(1, Ordering::Relaxed);
            Moment::START + self.0.elapsed() + Duration::from_nanos(readings)
        }
    }

    #[test]
    fn the_machines_clock_goes_on() {
        let before = SystemClock.now();
        assert!(before > Moment::START);
        std::thread::sleep(Duration::from_millis(2));
        assert!(SystemClock.now().since(before) >= Duration::from_millis(2));
    }
}
