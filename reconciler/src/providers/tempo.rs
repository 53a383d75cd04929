//! How often the shared sweep looks: pure, but for the set of those who need no look.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::model::Instance;
use crate::clock::Moment;

/// While something is under way.
const FAST: Duration = Duration::from_secs(1);
/// When all is at rest: this is how soon a loss is seen.
pub(super) const SLOW: Duration = Duration::from_secs(60);
/// A look at 100 instances costs a call: large accounts are looked at less often.
const PER_PAGE: Duration = Duration::from_millis(500);
/// After an error, doubling.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// Whoever finds too many waiting comes again when the next sweep is over, but not sooner than this.
const AGAIN: Duration = Duration::from_secs(2);

/// The fast pace of an account with so many instances.
pub(super) fn fast(instances: usize) -> Duration {
    FAST + PER_PAGE * u32::try_from(instances / 100).unwrap_or(u32::MAX)
}

/// The pause after so many failures in a row before this one.
pub(super) fn retry(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(2_u32.saturating_pow(failures)).min(SLOW)
}

/// When the last sweep began, and how long the one before it took, or it where it is over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    began: Option<Moment>,
    took: Duration,
}

impl Pace {
    pub(super) fn begin(&mut self, now: Moment) {
        self.began = Some(now);
    }

    pub(super) fn end(&mut self, now: Moment) {
        self.took = self.began.map(|began| now.since(began)).unwrap_or_default();
    }

    /// How long until the sweep is over that comes after the one that began last, at this pause between them.
    pub(super) fn next_but_one(self, now: Moment, pause: Duration) -> Duration {
        let end = self.began.map(|began| began + self.took + pause + self.took);
        end.and_then(|end| now.until(end)).unwrap_or_default().clamp(AGAIN, SLOW)
    }
}

/// Instances whose objects have all that they want of them, by identifier. What passes by itself in one of these, a daily backup say, is no reason to look
/// often as long as it serves: in a large account there is always one.
#[derive(Debug, Default)]
pub(super) struct Content(Mutex<BTreeSet<String>>);

impl Content {
    /// Whether an object has all that it wants of its instance.
    pub(super) fn note(&self, identifier: &str, content: bool) {
        let mut known = self.known();
        if !content {
            known.remove(identifier);
        } else if !known.contains(identifier) {
            known.insert(identifier.to_owned());
        }
    }

    /// Whether an instance is worth a look soon.
    pub(super) fn awaited(&self, instance: &Instance) -> bool {
        let status = &instance.status;
        let outage = !status.serves() || status.deleting();
        status.passing() && (outage || !self.known().contains(&instance.identifier))
    }

    /// Forgets those that are gone.
    pub(super) fn retain(&self, there: impl Fn(&str) -> bool) {
        self.known().retain(|identifier| there(identifier));
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Each change is made in one go: a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::instance;

    #[test]
    fn a_daily_backup_is_no_reason_to_look_often() {
        let content = Content::default();
        let name = instance("available").identifier;
        let awaited = |word: &str| content.awaited(&instance(word));
        assert!(awaited("backing-up") && !awaited("available"), "somebody may wait for its end");
        content.note(&name, true);
        assert!(!awaited("backing-up") && !awaited("modifying"));
        assert!(awaited("rebooting") && awaited("creating") && awaited("deleting"), "nobody is served");
        content.note(&name, false);
        assert!(awaited("backing-up"), "its object wants something again");
        content.note(&name, true);
        content.retain(|_| false);
        assert!(awaited("backing-up"), "it was gone");
    }

    #[test]
    fn i13_who_is_sent_away_comes_when_there_is_something_to_see() {
        let start = Moment::START;
        let second = Duration::from_secs(1);
        let mut pace = Pace::default();
        assert_eq!(pace.next_but_one(start, second), AGAIN, "nothing is known yet");
        pace.begin(start);
        pace.end(start + 5 * second);
        assert_eq!(pace.next_but_one(start + 5 * second, 26 * second), 31 * second);
        pace.begin(start + 31 * second);
        assert_eq!(
            pace.next_but_one(start + 32 * second, 26 * second),
            35 * second,
            "the one under way began too early"
        );
        assert_eq!(pace.next_but_one(start + 300 * second, 26 * second), AGAIN);
    }

    #[test]
    fn i13_large_accounts_are_looked_at_less_often() {
        let calls_a_second =
            |instances: u32| f64::from(instances.div_ceil(100)) / fast(instances as usize).as_secs_f64();
        for instances in [10, 100, 500, 1000, 5000, 50_000] {
            assert!(calls_a_second(instances) <= 2.0, "{instances}");
        }
    }
}
