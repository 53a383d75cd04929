//! The token bucket of the API [RDS documentation: burst 300, sustained 12 calls a second for an account and region].

use std::time::Instant;

use tokio::sync::Mutex;

/// What a full bucket holds.
pub(crate) const BURST: u16 = 300;
const PER_SECOND: f64 = 12.0;

/// The bucket of the account; without one, calls are admitted at any rate.
#[derive(Debug)]
pub(crate) struct Throttle(Mutex<Option<Bucket>>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Throttle {
    /// A bucket with so many tokens, or none.
    pub(crate) fn new(tokens: Option<u16>) -> Self {
        Self(Mutex::new(tokens.map(Bucket::holding)))
    }

    /// Takes a token; `false` when there is none.
    pub(crate) async fn admit(&self) -> bool {
        self.0.lock().await.as_mut().is_none_or(|bucket| bucket.take(Instant::now()))
    }

    /// Puts another bucket, or none, in its place.
    pub(crate) async fn refill(&self, tokens: Option<u16>) {
        *self.0.lock().await = tokens.map(Bucket::holding);
    }
}

impl Bucket {
    fn holding(tokens: u16) -> Self {
        Self { tokens: tokens.min(BURST).into(), filled_at: Instant::now() }
    }

    fn take(&mut self, now: Instant) -> bool {
        let age = now.duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + age * PER_SECOND).min(BURST.into());
        self.filled_at = now;
        let admitted = self.tokens >= 1.0;
        if admitted {
            self.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_then_the_sustained_rate() {
        let mut bucket = Bucket::holding(BURST);
        let start = bucket.filled_at;
        let admitted = |bucket: &mut Bucket, at| (0..1000).filter(|_| bucket.take(at)).count();
        assert_eq!(admitted(&mut bucket, start), 300);
        assert_eq!(admitted(&mut bucket, start + Duration::from_secs(5)), 60);
    }

    #[tokio::test]
    async fn what_others_have_used_is_not_there() {
        let throttle = Throttle::new(Some(BURST));
        throttle.refill(Some(1)).await;
        assert!(throttle.admit().await && !throttle.admit().await);
        throttle.refill(None).await;
        assert!(throttle.admit().await && throttle.admit().await);
    }
}
