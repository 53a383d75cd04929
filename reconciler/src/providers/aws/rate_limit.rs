//! Stays under the provider's limit on calls.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::bucket::{Bucket, Purpose, Ticket};

/// The limit on the calls to one account and region, whichever ways lead there.
pub(super) struct RateLimit {
    bucket: Mutex<Bucket>,
    /// Somebody has taken a token or gone: it may be another one's turn.
    moved: Notify,
}

/// A place among those who wait. Who is dropped there gives it up.
struct Place<'a> {
    limit: &'a RateLimit,
    ticket: Ticket,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limit.bucket().leave(self.ticket);
        self.limit.moved.notify_waiters();
    }
}

impl RateLimit {
    /// Half of what RDS allows.
    pub(super) fn rds() -> Self {
        Self { bucket: Mutex::new(Bucket::new(Instant::now())), moved: Notify::new() }
    }

    /// Waits until a call may be made.
    ///
    /// # Errors
    /// When to ask again, where the wait would be too long for a pass that takes the place of others.
    pub(super) async fn take(&self, purpose: Purpose) -> Result<(), Duration> {
        let ticket = self.bucket().join(purpose, Instant::now())?;
        let place = Place { limit: self, ticket };
        loop {
            // Before the look, or a move right after it would be missed.
            let moved = self.moved.notified();
            let taken = self.bucket().take(place.ticket, Instant::now());
            match taken {
                Ok(()) => return Ok(()),
                Err(wait) => {
                    tokio::select! {
                        biased;
                        () = moved => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                }
            }
        }
    }

    /// RDS has refused a call for its rate that was sent at this moment.
    pub(super) fn refused(&self, sent: Instant) {
        let mut bucket = self.bucket();
        let before = bucket.rate();
        bucket.refused(sent, Instant::now());
        if bucket.rate() < before {
            tracing::warn!(rate = bucket.rate(), "too many calls to this account: fewer are made for a while");
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        // Each change leaves it whole: a panic elsewhere leaves nothing half done.
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn i13_a_pass_does_not_wait_long_for_an_account_that_many_use() {
        let limit = Arc::new(RateLimit::rds());
        let began = Instant::now();
        let asked: Vec<_> = (0..200)
            .map(|_| {
                let limit = limit.clone();
                tokio::spawn(async move { limit.take(Purpose::Change).await.map(|()| began.elapsed()) })
            })
            .collect();
        let (mut made, mut away) = (Vec::new(), Vec::new());
        for call in asked {
            match call.await.expect("it does not panic") {
                Ok(after) => made.push(after),
                Err(again) => away.push(again),
            }
        }
        assert_eq!((made.len(), away.len()), (112, 88), "the burst, and those who may wait");
        assert!(made.iter().all(|after| *after < Duration::from_secs(3)), "{made:?}");
        assert!(away.iter().all(|again| *again > Duration::from_secs(2)), "{away:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_dropped_while_it_waits_keeps_nobody_waiting() {
        let limit = Arc::new(RateLimit::rds());
        for _ in 0..100 {
            limit.take(Purpose::Sweep).await.expect("the burst");
        }
        let waiting = limit.clone();
        let waits = tokio::spawn(async move { waiting.take(Purpose::Sweep).await });
        tokio::task::yield_now().await;
        waits.abort();
        let began = Instant::now();
        limit.take(Purpose::Read).await.expect("a place");
        assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
    }
}
