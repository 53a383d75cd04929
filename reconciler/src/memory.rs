//! What one process remembers of its objects. All of it can be lost: a new process looks again and tries once more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::errand::Errand;
use crate::plan::{Doorway, Ledger, LoginKnown, Moment, Seen, SqlVisit};
use crate::providers::Snapshot;
use crate::told::Told;
use crate::turns::{Key, Pace};

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub struct Recollection {
    /// When an effect on the cloud was last made: only a later sweep can judge it.
    pub last_effect: Option<Moment>,
    /// Whether this process has seen if its instance is there.
    pub observed: bool,
    /// The snapshots of its name, and when they were asked for.
    pub snapshots: Option<(Moment, Seen<Vec<Snapshot>>)>,
    /// The snapshots of its instance among which its copies are, and when they were asked for.
    pub copies: Option<(Moment, Seen<Vec<Snapshot>>)>,
    /// Since when the instance was not there at each look.
    pub absent_since: Option<Moment>,
    /// When the object's very instance was last seen as one that is not to be touched, marked as another's for one.
    pub estranged_at: Option<Moment>,
    /// What was asked of the cloud and of Kubernetes.
    pub ledger: Ledger,
    /// The last visit to the database that came to its end.
    pub visit: Option<SqlVisit>,
    /// The oids of the databases that were seen, in the instance of this resource id.
    pub databases: Option<(String, BTreeMap<String, u32>)>,
    /// The visit that is under way.
    pub errand: Option<Errand>,
    /// What the last login of each user to each of its databases showed.
    pub logins: BTreeMap<Doorway, LoginKnown>,
    /// When its Secrets that work as they are may be renewed.
    pub renewal: Option<Moment>,
    /// How long its visits take.
    pub pace: Pace,
    /// The generation whose whole status Kubernetes could not store.
    pub too_large: Option<Option<i64>>,
    /// What people were told.
    pub told: Told,
}

/// All that is remembered. Clones are handles to the same.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    /// By the object's UID.
    objects: BTreeMap<String, Recollection>,
    /// How many passes have failed in a row, also where the object could not even be read.
    failures: BTreeMap<Key, u32>,
    /// Objects that have had a pass, whatever came of it.
    passed: BTreeSet<Key>,
}

impl Memory {
    /// What is remembered of an object.
    pub fn recall(&self, uid: &str) -> Recollection {
        self.lock().objects.get(uid).cloned().unwrap_or_default()
    }

    /// A part of it, without a copy of the rest: there may be thousands of logins.
    pub fn part<T>(&self, uid: &str, read: impl FnOnce(&Recollection) -> T) -> T {
        match self.lock().objects.get(uid) {
            Some(found) => read(found),
            None => read(&Recollection::default()),
        }
    }

    /// Changes what is remembered.
    pub fn update(&self, uid: &str, change: impl FnOnce(&mut Recollection)) {
        change(self.lock().objects.entry(uid.to_owned()).or_default());
    }

    /// A pass has come to its end.
    pub(crate) fn succeeded(&self, object: &Key) {
        let mut remembered = self.lock();
        remembered.failures.remove(object);
        remembered.passed(object);
    }

    /// Whether an object has had a pass, and how many have.
    pub(crate) fn passed(&self, object: &Key) -> (bool, usize) {
        let remembered = self.lock();
        (remembered.passed.contains(object), remembered.passed.len())
    }

    /// A pass has failed; gives how many have by now, in a row.
    pub fn failed(&self, object: &Key) -> u32 {
        let mut remembered = self.lock();
        remembered.passed(object);
        let failures = remembered.failures.entry(object.clone()).or_default();
        *failures = failures.saturating_add(1);
        *failures
    }

    /// Forgets all objects but these, by their names and UIDs.
    pub fn retain(&self, there: &BTreeMap<Key, String>) {
        let uids: BTreeSet<&String> = there.values().collect();
        let mut remembered = self.lock();
        remembered.objects.retain(|uid, _| uids.contains(uid));
        remembered.failures.retain(|object, _| there.contains_key(object));
        remembered.passed.retain(|object| there.contains_key(object));
    }

    /// Of how many objects this process has seen whether their instance is there.
    pub(crate) fn observed(&self) -> usize {
        self.lock().objects.values().filter(|recollection| recollection.observed).count()
    }

    /// Of how many objects something is remembered.
    pub fn len(&self) -> usize {
        self.lock().objects.len()
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Every change is a single assignment: a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn passed(&mut self, object: &Key) {
        if !self.passed.contains(object) {
            self.passed.insert(object.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i13_objects_that_are_gone_take_no_memory() {
        let memory = Memory::default();
        let key = |name: &str| Key { namespace: "shop".to_owned(), name: name.to_owned() };
        for name in ["gone", "there"] {
            memory.update(name, |recollection| recollection.too_large = Some(Some(1)));
            assert!(!memory.passed(&key(name)).0);
            assert_eq!((memory.failed(&key(name)), memory.failed(&key(name))), (1, 2));
        }
        assert_eq!(memory.passed(&key("gone")), (true, 2), "whatever came of it");
        memory.retain(&BTreeMap::from([(key("there"), "there".to_owned())]));
        assert_eq!((memory.passed(&key("gone")), memory.passed(&key("there"))), ((false, 1), (true, 1)));
        assert_eq!((memory.len(), memory.recall("there").too_large), (1, Some(Some(1))));
        assert_eq!((memory.failed(&key("gone")), memory.failed(&key("there"))), (1, 3));
        memory.succeeded(&key("there"));
        assert_eq!(memory.failed(&key("there")), 1, "in a row");
    }
}
