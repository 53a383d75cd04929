//! When Secrets are renewed that work as they are: one object after the other.
//!
//! A new bundle of authorities, or a new version of this operator, changes every Secret there is. Written all at once they would be a storm
//! for the API server and for everything that restarts when a Secret changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Moment;

/// From one object to the next; each renews a bounded number of Secrets when its time comes.
const EVERY: Duration = Duration::from_secs(2);

/// The places of all objects. Clones are handles to the same ones.
#[derive(Clone, Debug, Default)]
pub struct Renewals(Arc<Mutex<Moment>>);

impl Renewals {
    /// The next free place: the first is now.
    pub fn place(&self, now: Moment) -> Moment {
        // A single assignment: a panic elsewhere leaves nothing half done.
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = now.max(*free);
        *free = place + EVERY;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i13_a_thousand_objects_are_renewed_one_after_the_other() {
        let (renewals, now) = (Renewals::default(), Moment::START);
        let places: Vec<_> = (0..1000).map(|_| renewals.place(now)).collect();
        assert_eq!(places[0], now, "nobody waits for nobody");
        assert!(places.windows(2).all(|pair| pair[1] == pair[0] + EVERY));
        let later = now + Duration::from_hours(1);
        assert_eq!(renewals.place(later), later, "places that went by are not saved up");
    }
}
