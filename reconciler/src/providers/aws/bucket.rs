//! Who may make the next call to an account, and when: pure.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// RDS throttles at 12 calls a second with a burst of 300, shared with the console and every other tool of the account (AWS, "API request
/// throttling"): half of the one and a third of the other are ours.
const MOST: f64 = 6.0;
const BURST: f64 = 100.0;
/// However often RDS refuses: one call each two seconds keeps the sweep of a small account within minutes.
const LEAST: f64 = 0.5;
/// After a refusal. Several calls that were under way together are one refusal.
const CUT: f64 = 0.5;
/// What a second without a refusal gives back: from half to the whole in a minute.
const RECOVERY: f64 = 0.05;
/// So many calls that change something go before one that reads, while both wait.
const CHANGES_IN_A_ROW: u32 = 3;
/// Calls that wait at the same time, those of the sweep apart: more passes would take the place of those of other accounts.
const WAITING: usize = 12;
/// The longest wait that a call begins with, for the same reason.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a call is for, in the order in which calls go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// The shared sweep: everybody waits for it.
    Sweep,
    /// It changes something.
    Change,
    /// It reads for one object.
    Read,
}

/// A call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(Purpose, u64);

/// The tokens of an account and region, and who waits for one. Its rate follows what RDS says: refused, it halves; in peace, it grows back.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    rate: f64,
    filled_at: Instant,
    waiting: BTreeSet<Ticket>,
    last: u64,
    changes_in_a_row: u32,
    /// Calls that were sent before this are no new refusal.
    cut_at: Option<Instant>,
    /// Until when there is work for those who were sent away.
    promised: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            tokens: BURST,
            rate: MOST,
            filled_at: now,
            waiting: BTreeSet::new(),
            last: 0,
            changes_in_a_row: 0,
            cut_at: None,
            promised: now,
        }
    }

    /// A place among those who wait; else, when to come again. Those who are sent away are spread over the time that their calls will take.
    pub(super) fn join(&mut self, purpose: Purpose, now: Instant) -> Result<Ticket, Duration> {
        self.fill(now);
        let waiting = self.waiting.iter().filter(|ticket| ticket.0 != Purpose::Sweep).count();
        if purpose != Purpose::Sweep && (waiting >= WAITING || self.wait_for(self.waiting.len()) > PATIENCE) {
            self.promised = self.promised.max(now + self.wait_for(self.waiting.len())) + self.wait_for_one();
            return Err(self.promised - now);
        }
        self.last += 1;
        let ticket = Ticket(purpose, self.last);
        self.waiting.insert(ticket);
        Ok(ticket)
    }

    /// The token, where it is this one's turn and there is one; else how long that takes at the least.
    pub(super) fn take(&mut self, ticket: Ticket, now: Instant) -> Result<(), Duration> {
        self.fill(now);
        let first = self.next() == Some(ticket);
        if !first || self.tokens < 1.0 {
            // A timer that is a hair early would come back for nothing.
            return Err(self.wait_for(usize::from(!first)).max(Duration::from_millis(1)));
        }
        self.tokens -= 1.0;
        self.changes_in_a_row = match ticket.0 {
            Purpose::Change => self.changes_in_a_row + 1,
            Purpose::Read => 0,
            Purpose::Sweep => self.changes_in_a_row,
        };
        self.waiting.remove(&ticket);
        Ok(())
    }

    /// One that waited has gone.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    /// RDS has refused a call for its rate that was sent at this moment.
    pub(super) fn refused(&mut self, sent: Instant, now: Instant) {
        self.fill(now);
        if self.cut_at.is_none_or(|cut_at| sent > cut_at) {
            self.rate = (self.rate * CUT).max(LEAST);
            self.tokens = 0.0;
            self.cut_at = Some(now);
        }
    }

    /// Calls a second, at this moment.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Whose turn it is. Reads are not kept waiting for ever.
    fn next(&self) -> Option<Ticket> {
        let first = *self.waiting.first()?;
        let read = self.waiting.range(Ticket(Purpose::Read, 0)..).next();
        match (first.0, read) {
            (Purpose::Change, Some(read)) if self.changes_in_a_row >= CHANGES_IN_A_ROW => Some(*read),
            _ => Some(first),
        }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(BURST);
        self.rate = (self.rate + passed * RECOVERY).min(MOST);
        self.filled_at = self.filled_at.max(now);
    }

    /// How long until there is a token for one who has so many ahead.
    fn wait_for(&self, ahead: usize) -> Duration {
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        Duration::from_secs_f64(((f64::from(ahead) + 1.0 - self.tokens) / self.rate).max(0.0))
    }

    fn wait_for_one(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::Purpose::{Change, Read, Sweep};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// One whose burst is used up.
    fn empty(now: Instant) -> Bucket {
        Bucket { tokens: 0.0, ..Bucket::new(now) }
    }

    fn joined(bucket: &mut Bucket, purpose: Purpose, now: Instant) -> Ticket {
        bucket.join(purpose, now).expect("there is a place")
    }

    /// Who goes, one after the other, each as soon as there is a token.
    fn order(bucket: &mut Bucket, tickets: &[Ticket], mut now: Instant) -> Vec<Ticket> {
        let mut gone = Vec::new();
        while gone.len() < tickets.len() {
            now += SECOND;
            bucket.tokens = bucket.tokens.min(0.0);
            let taken = tickets.iter().find(|ticket| !gone.contains(*ticket) && bucket.take(**ticket, now).is_ok());
            gone.push(*taken.expect("somebody's turn it is"));
        }
        gone
    }

    #[test]
    fn calls_beyond_the_burst_are_spread_over_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        let mut taken = |now| {
            let ticket = joined(&mut bucket, Sweep, now);
            let taken = bucket.take(ticket, now);
            bucket.leave(ticket);
            taken
        };
        assert_eq!((0..200).filter(|_| taken(start).is_ok()).count(), 100);
        assert_eq!((0..200).filter(|_| taken(start + 10 * SECOND).is_ok()).count(), 60);
        assert!(taken(start + 10 * SECOND).expect_err("it is empty") <= SECOND / 6 + Duration::from_millis(1));
    }

    #[test]
    fn i13_the_sweep_goes_first_then_changes_and_a_read_now_and_then() {
        let now = Instant::now();
        let mut bucket = empty(now);
        let reads = [Read, Read].map(|purpose| joined(&mut bucket, purpose, now));
        let changes = [Change; 5].map(|purpose| joined(&mut bucket, purpose, now));
        let sweep = joined(&mut bucket, Sweep, now);
        let all = [&reads[..], &changes, &[sweep]].concat();
        let wanted = [sweep, changes[0], changes[1], changes[2], reads[0], changes[3], changes[4], reads[1]];
        assert_eq!(order(&mut bucket, &all, now), wanted);
    }

    #[test]
    fn i13_few_passes_wait_for_an_account_and_the_others_come_when_there_is_a_token_for_them() {
        let now = Instant::now();
        let mut bucket = empty(now);
        for _ in 0..WAITING {
            joined(&mut bucket, Change, now);
        }
        let away: Vec<Duration> = (0..60).map(|_| bucket.join(Change, now).expect_err("it is full")).collect();
        assert!(away.is_sorted() && away[0] > 2 * SECOND && away[0] < 3 * SECOND, "{away:?}");
        assert_eq!(away[59].saturating_sub(away[0]).as_secs(), 9, "six a second");
        joined(&mut bucket, Sweep, now);
        // One that waits for long, because of the rate, is as bad as many that wait.
        let mut slow = Bucket { rate: LEAST, ..empty(now) };
        for _ in 0..2 {
            joined(&mut slow, Read, now);
        }
        assert!(slow.join(Read, now).is_err());
    }

    #[test]
    fn i9_who_is_refused_asks_half_as_often_and_comes_back_slowly() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        let near = |bucket: &Bucket, rate: f64| (bucket.rate() - rate).abs() < 0.01;
        // Three that were under way at the same time.
        for late in 1..=3 {
            bucket.refused(start + SECOND, start + (1 + late) * SECOND);
        }
        assert!(near(&bucket, 3.1), "cut once: {}", bucket.rate());
        assert!(bucket.tokens < 7.0, "the burst is gone: {}", bucket.tokens);
        for again in 0..10 {
            bucket.refused(start + (10 + again) * SECOND, start + (10 + again) * SECOND);
        }
        assert!(bucket.rate() < 0.6 && bucket.rate() >= LEAST, "{}", bucket.rate());
        bucket.fill(start + 79 * SECOND);
        assert!(near(&bucket, 3.5), "{}", bucket.rate());
        bucket.fill(start + 3600 * SECOND);
        assert!(near(&bucket, MOST), "never more than half of RDS's rate: {}", bucket.rate());
    }
}
