//! Stays under the provider's limit on calls.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// The longest wait for a token.
const PATIENCE: Duration = Duration::from_secs(5);

/// A token bucket for the calls to one account and region.
///
/// RDS throttles at 12 calls a second with a burst of 300, shared with the console and every other tool of the account (AWS, "API
/// request throttling"): half of it is ours.
pub(super) struct RateLimit {
    interval: Duration,
    burst: u32,
    next: Mutex<Instant>,
}

impl RateLimit {
    /// Half of what RDS allows.
    pub(super) fn rds() -> Self {
        Self { interval: Duration::from_secs(1) / 6, burst: 100, next: Mutex::new(Instant::now()) }
    }

    /// Waits until a call may be made; false where that would be too long for a pass that takes the place of others.
    pub(super) async fn take(&self) -> bool {
        let at = {
            let (mut next, now) = (self.next.lock().await, Instant::now());
            let at = self.slot(*next, now);
            if at > now + PATIENCE {
                return false;
            }
            *next = at + self.interval;
            at
        };
        tokio::time::sleep_until(at).await;
        true
    }

    /// When a call may be made that is asked for `now`, the slot after the last one being `next`: an idle bucket fills up to the burst.
    fn slot(&self, next: Instant, now: Instant) -> Instant {
        next.max(now.checked_sub(self.interval * self.burst).unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn i13_a_pass_does_not_wait_long_for_an_account_that_many_use() {
        let limit = RateLimit { interval: Duration::from_secs(1), burst: 1, next: Mutex::new(Instant::now()) };
        for _ in 0..6 {
            limit.next.lock().await.clone_from(&(Instant::now() + PATIENCE));
            assert!(limit.take().await);
        }
        limit.next.lock().await.clone_from(&(Instant::now() + PATIENCE + Duration::from_secs(1)));
        let began = Instant::now();
        assert!(!limit.take().await && began.elapsed().is_zero());
    }

    #[test]
    fn calls_beyond_the_burst_are_spread_over_time() {
        let start = Instant::now();
        let limit = RateLimit { interval: Duration::from_millis(100), burst: 5, next: Mutex::new(start) };
        let now = start + Duration::from_secs(60);
        let mut next = start;
        let waits: Vec<_> = (0..8)
            .map(|_| {
                let at = limit.slot(next, now);
                next = at + limit.interval;
                at.saturating_duration_since(now).as_millis()
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 100, 200]);
    }
}
