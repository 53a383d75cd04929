//! What one process remembers of its objects. All of it can be lost: a new process looks again and tries once more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::plan::{Asked, Doorway, Effect, Errand, LoginKnown, Moment, Setback, SqlVisit};
use crate::tell::Told;
use crate::turns::Pace;

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub struct Recollection {
    /// When an effect on the cloud was last made: only a later sweep can judge it.
    pub last_effect: Option<Moment>,
    /// What was asked of the cloud.
    pub asked: BTreeMap<Effect, Asked>,
    /// Steps on Kubernetes that failed.
    pub setbacks: BTreeMap<String, Setback>,
    /// The last visit to the database that came to its end.
    pub visit: Option<SqlVisit>,
    /// The visit that is under way.
    pub errand: Option<Errand>,
    /// What the last login of each user to each of its databases showed.
    pub logins: BTreeMap<Doorway, LoginKnown>,
    /// When its Secrets that work as they are may be renewed.
    pub renewal: Option<Moment>,
    /// How long its visits take.
    pub pace: Pace,
    /// So many passes have failed in a row.
    pub failures: u32,
    /// The generation whose whole status Kubernetes could not store.
    pub too_large: Option<Option<i64>>,
    /// What people were told.
    pub told: Told,
}

/// All recollections, by the object's UID.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<String, Recollection>>>);

impl Memory {
    /// What is remembered of an object.
    pub fn recall(&self, uid: &str) -> Recollection {
        self.lock().get(uid).cloned().unwrap_or_default()
    }

    /// A part of it, without a copy of the rest: there may be thousands of logins.
    pub fn part<T>(&self, uid: &str, read: impl FnOnce(&Recollection) -> T) -> T {
        match self.lock().get(uid) {
            Some(found) => read(found),
            None => read(&Recollection::default()),
        }
    }

    /// Changes what is remembered.
    pub fn update(&self, uid: &str, change: impl FnOnce(&mut Recollection)) {
        change(self.lock().entry(uid.to_owned()).or_default());
    }

    /// Forgets all objects but these.
    pub fn retain(&self, there: &BTreeSet<String>) {
        self.lock().retain(|uid, _| there.contains(uid));
    }

    /// Of how many objects something is remembered.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Recollection>> {
        // Every change is a single assignment: a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i13_objects_that_are_gone_take_no_memory() {
        let memory = Memory::default();
        for uid in ["gone", "there"] {
            memory.update(uid, |recollection| recollection.failures = 1);
        }
        memory.retain(&BTreeSet::from(["there".to_owned()]));
        assert_eq!((memory.len(), memory.recall("there").failures), (1, 1));
    }
}
