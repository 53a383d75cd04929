//! What Events are called, and how many an object may have: what goes on and on would fill the store of the whole cluster.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Moment;

/// Events in a row. A birth with a hundred users has that many.
const BURST: u32 = 150;
/// From then on one in this time.
const INTERVAL: Duration = Duration::from_secs(10);
/// So many objects are remembered before those are forgotten that have been silent for long.
const MANY: usize = 4096;

/// The Events that each object may still have.
#[derive(Default)]
pub(super) struct Allowance(Mutex<BTreeMap<String, Moment>>);

impl Allowance {
    /// Takes one Event of an object's allowance; false where it has none left.
    pub(super) fn take(&self, uid: &str, now: Moment) -> bool {
        // An entry is replaced in one go: a panic elsewhere leaves nothing half done.
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() > MANY {
            spent.retain(|_, until| *until > now);
        }
        let until = (*spent.get(uid).unwrap_or(&now)).max(now) + INTERVAL;
        let allowed = until <= now + INTERVAL * BURST;
        if allowed {
            spent.insert(uid.to_owned(), until);
        }
        allowed
    }
}

/// Gives Events names that sort by time, as client-go's recorder does: the object's, and nanoseconds since 1970 in hexadecimal. They always have 16
/// digits.
#[derive(Default)]
pub(super) struct Names(AtomicI64);

impl Names {
    /// The next name. Two of one moment, and those after a clock that was set back, still sort as they came.
    pub(super) fn next(&self, object: &str, now: Timestamp) -> String {
        // Beyond the year 2262 there are no nanoseconds in 64 bits.
        let now = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX - 1);
        let after = |last: i64| Some(now.max(last.saturating_add(1)));
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).unwrap_or(now);
        format!("{object}.{:016x}", now.max(last.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_events_came() {
        let (names, at) = (Names::default(), |second| Timestamp::from_second(second).unwrap_or_default());
        let told = [at(1_800_000_000), at(1_800_000_000), at(1_700_000_000), at(1_900_000_000)];
        let told = told.map(|now| names.next("orders", now));
        assert_eq!(told[0], "orders.18fae27693b40000");
        assert!(told.is_sorted() && told[1] != told[0] && told[2] != told[1], "{told:?}");
        let early = Names::default().next("orders", at(1));
        assert!(early < told[0], "a name has as many digits at any time: {early}");
    }

    #[test]
    fn i13_an_objects_events_are_bounded() {
        let (allowance, now) = (Allowance::default(), Moment::START);
        let told = (0..1000).filter(|_| allowance.take("restless", now)).count();
        assert_eq!(told, usize::try_from(BURST).unwrap_or_default());
        assert!(allowance.take("other", now), "another object has its own");
        let later = now + INTERVAL;
        assert!(allowance.take("restless", later) && !allowance.take("restless", later));
    }
}
