//! The token bucket of the API [RDS documentation: burst 300, sustained 12 calls a second for an account and region].

use std::time::Instant;

use tokio::sync::Mutex;

const BURST: f64 = 300.0;
const PER_SECOND: f64 = 12.0;

/// The bucket of the account.
#[derive(Debug)]
pub(crate) struct Throttle(Mutex<Bucket>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Throttle {
    /// A full bucket.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Bucket { tokens: BURST, filled_at: Instant::now() }))
    }

    /// Takes a token; `false` when there is none.
    pub(crate) async fn admit(&self) -> bool {
        self.0.lock().await.take(Instant::now())
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let age = now.duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + age * PER_SECOND).min(BURST);
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
        let start = Instant::now();
        let mut bucket = Bucket { tokens: BURST, filled_at: start };
        let admitted = |bucket: &mut Bucket, at| (0..1000).filter(|_| bucket.take(at)).count();
        assert_eq!(admitted(&mut bucket, start), 300);
        assert_eq!(admitted(&mut bucket, start + Duration::from_secs(5)), 60);
    }
}
