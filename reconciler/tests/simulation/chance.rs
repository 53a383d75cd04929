//! The clocks and the chance of a simulation: all of it follows from a seed.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reconciler::clock::{Clock, Moment};
use reconciler::entropy::Entropy;
use tokio::time::Instant;

/// When every simulation begins, in seconds since 1970.
const BEGINNING: i64 = 1_800_000_000;

/// What the wall clocks show then.
pub(crate) fn beginning() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(BEGINNING)
}

/// How long after the beginning the true time is this.
pub(crate) fn since_beginning(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(beginning())).unwrap_or_default()
}

/// The true time, which nobody can set: that of Kubernetes and of the cloud.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time(Instant);

impl Time {
    /// Of a simulation that begins now.
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Of a simulation that began so long ago.
    pub(crate) fn after(elapsed: Duration) -> Self {
        Self(Instant::now() - elapsed)
    }

    /// How long the simulation has gone on.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// What the wall clocks should show.
    pub(crate) fn wall(self) -> Timestamp {
        beginning() + self.elapsed()
    }
}

/// As whoever keeps no time of its own has it.
impl Clock for Time {
    fn wall(&self) -> Timestamp {
        Self::wall(*self)
    }

    fn now(&self) -> Moment {
        Moment::START + self.elapsed()
    }
}

/// The clock of one process: it goes with tokio's, which is stopped. Each reading takes a nanosecond.
#[derive(Debug)]
pub(crate) struct ProcessClock {
    time: Time,
    started: Instant,
    readings: AtomicU64,
    /// How many seconds the wall clock is off.
    off: AtomicI64,
}

impl ProcessClock {
    pub(crate) fn start(time: Time) -> Self {
        Self { time, started: Instant::now(), readings: AtomicU64::default(), off: AtomicI64::default() }
    }

    /// Of a process that has gone on since the beginning and read its clock so often.
    pub(crate) fn resumed(time: Time, readings: u64) -> Self {
        Self { time, started: time.0, readings: readings.into(), off: AtomicI64::default() }
    }

    /// How often it was read.
    pub(crate) fn readings(&self) -> u64 {
        self.readings.load(Ordering::Relaxed)
    }

    /// Somebody sets the wall clock, forth or back.
    pub(crate) fn set(&self, by: SignedDuration) {
        self.off.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for ProcessClock {
    fn wall(&self) -> Timestamp {
        self.time.wall() + SignedDuration::from_secs(self.off.load(Ordering::Relaxed))
    }

    fn now(&self) -> Moment {
        let readings = self.readings.fetch_add(1, Ordering::Relaxed);
        Moment::START + self.started.elapsed() + Duration::from_nanos(readings)
    }
}

/// Everything random of a simulation.
#[derive(Debug)]
pub(crate) struct Seeded(Mutex<StdRng>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
