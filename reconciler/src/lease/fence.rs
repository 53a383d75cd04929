//! Whether this process may still act: asked before each effect.
//!
//! A process that is stopped for a minute, or whose machine sleeps, wakes in the middle of a pass and does not know that another one leads by
//! now. The age of its Lease tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;

/// A Lease is not taken by another before 15 s; what is asked of others within this time has an effect before that.
const HOLDS_FOR: Duration = Duration::from_secs(10);

/// The age of the Lease, shared by whoever renews it and all who act. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Fence(Option<Arc<AtomicU64>>);

/// This process may not act any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the Lease is too old to act by it: this process was stopped, or cannot renew it")]
pub struct Fenced;

impl Fence {
    /// There is one process only, without a Lease: it may always act.
    pub fn open() -> Self {
        Self(None)
    }

    /// Nobody may act before the Lease is renewed.
    pub fn closed() -> Self {
        Self(Some(Arc::default()))
    }

    /// The Lease was renewed by a request that was begun at this time since boot.
    pub fn renewed(&self, asked: Duration) {
        if let Some(renewed) = &self.0 {
            renewed.store(u64::try_from(asked.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
        }
    }

    /// Whether an effect may be made now.
    ///
    /// # Errors
    /// When the Lease was not renewed lately.
    pub fn check(&self) -> Result<(), Fenced> {
        self.check_at(since_boot())
    }

    fn check_at(&self, now: Duration) -> Result<(), Fenced> {
        let Some(renewed) = &self.0 else { return Ok(()) };
        let renewed = Duration::from_millis(renewed.load(Ordering::SeqCst));
        let holds = !renewed.is_zero() && now.saturating_sub(renewed) < HOLDS_FOR;
        if holds { Ok(()) } else { Err(Fenced) }
    }
}

/// The time since the machine was started, sleep included: the monotonic clock stands still while a machine is suspended.
pub(crate) fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(clock);
    Duration::from_secs(u64::try_from(now.tv_sec).unwrap_or_default())
        + Duration::from_nanos(u64::try_from(now.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i11_a_process_that_was_stopped_does_not_act_when_it_wakes() {
        let fence = Fence::closed();
        let at = Duration::from_secs;
        assert_eq!(fence.check_at(at(1)), Err(Fenced), "it does not lead yet");
        fence.renewed(at(100));
        assert_eq!(fence.check_at(at(109)), Ok(()));
        assert_eq!(fence.check_at(at(160)), Err(Fenced), "another one leads by now");
        fence.renewed(at(161));
        assert_eq!(fence.clone().check_at(at(162)), Ok(()), "it was given the Lease again");
        assert_eq!(Fence::open().check_at(at(1_000_000)), Ok(()));
    }
}
