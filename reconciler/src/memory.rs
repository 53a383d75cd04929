//! What one process remembers of its objects. All of it can be lost: a new process looks again and tries once more.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::plan::{Asked, Effect, Setback, SqlVisit};

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub struct Recollection {
    /// When an effect on the cloud was last made: only a later sweep can judge it.
    pub last_effect: Option<Instant>,
    /// What was asked of the cloud.
    pub asked: BTreeMap<Effect, Asked>,
    /// Steps on Kubernetes that failed.
    pub setbacks: BTreeMap<String, Setback>,
    /// The last visit to the database.
    pub visit: Option<SqlVisit>,
    /// What people were last told, by condition, so that they are told once.
    pub told: BTreeMap<&'static str, String>,
}

/// All recollections, by the object's UID.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<HashMap<String, Recollection>>>);

impl Memory {
    /// What is remembered of an object.
    pub fn recall(&self, uid: &str) -> Recollection {
        self.lock().get(uid).cloned().unwrap_or_default()
    }

    /// Changes what is remembered.
    pub fn update(&self, uid: &str, change: impl FnOnce(&mut Recollection)) {
        change(self.lock().entry(uid.to_owned()).or_default());
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Recollection>> {
        // Every change is a single assignment: a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
