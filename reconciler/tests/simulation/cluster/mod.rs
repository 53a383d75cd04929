//! Kubernetes in memory: versions, conflicts, finalizers and deletions as those of the real one. What it stores is one plain value.

mod people;
mod port;
mod watched;
mod write;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Secret, Service};
use reconciler::cluster::NamespaceFacts;
use reconciler::subject::GuardedClass;
use reconciler::turns::Key;
use serde_json::Value;

use crate::chance::Time;
use crate::history::History;

pub(crate) use people::{PEOPLES, Planted, Refused, put, text, unlabelled};
pub(crate) use port::Client;
pub(crate) use watched::{Changed, Kind, ObjectFacts};
pub(crate) use write::{ClusterEvent, Write};

/// One API server, for all processes of a simulation.
pub(crate) struct Kubernetes {
    time: Time,
    history: Arc<History>,
    state: Mutex<State>,
    /// Objects that are gone, as they were last.
    gone: Mutex<BTreeMap<Key, Arc<Value>>>,
    /// What the watches tell, by kind, from the beginning.
    changes: Mutex<BTreeMap<Kind, Vec<Changed>>>,
    restored: AtomicU64,
    /// How many changes there have been, of all kinds.
    told: AtomicUsize,
}

/// What etcd holds, and the requests that have not arrived yet. A copy costs no copy of the objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    version: u64,
    pub(crate) databases: BTreeMap<Key, Arc<Value>>,
    pub(crate) secrets: BTreeMap<Key, Arc<Secret>>,
    pub(crate) services: BTreeMap<Key, Arc<Service>>,
    pub(crate) namespaces: BTreeMap<String, NamespaceFacts>,
    /// As they were written: one may be unreadable.
    pub(crate) classes: BTreeMap<String, Arc<Value>>,
    late: Vec<(Duration, Write)>,
}

impl State {
    fn next(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    /// The classes, as a watch has them.
    pub(crate) fn guarded_classes(&self) -> Vec<Arc<GuardedClass>> {
        let read = |class: &Arc<Value>| serde_json::from_value(Value::clone(class)).ok().map(Arc::new);
        self.classes.values().filter_map(read).collect()
    }
}

/// The Secrets and Services that an object of this namespace can have; which ones they are tells whether one has changed.
pub(crate) fn children_of<'a>(
    state: &'a State,
    namespace: &'a str,
) -> impl Iterator<Item = (&'a Key, *const ())> + use<'a> {
    let secrets = state.secrets.iter().map(|(key, secret)| (key, Arc::as_ptr(secret).cast()));
    let services = state.services.iter().map(|(key, service)| (key, Arc::as_ptr(service).cast()));
    let alias = |key: &Key| key.namespace == crate::watching::ALIASES;
    secrets.chain(services).filter(move |(key, _)| key.namespace == namespace || alias(key))
}

impl Kubernetes {
    pub(crate) fn new(time: Time, history: Arc<History>) -> Self {
        let (state, gone, changes) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { time, history, state, gone, changes, restored: AtomicU64::default(), told: AtomicUsize::default() }
    }

    /// An object, or the last one of this name: what was asked for on its behalf may arrive when it is gone.
    pub(crate) fn last(&self, of: &Key) -> Option<Arc<Value>> {
        let gone = || self.gone.lock().unwrap_or_else(PoisonError::into_inner).get(of).cloned();
        self.lock().databases.get(of).cloned().or_else(gone)
    }

    /// An object as it is now.
    pub(crate) fn database(&self, of: &Key) -> Option<Arc<Value>> {
        self.lock().databases.get(of).cloned()
    }

    /// What it holds now.
    pub(crate) fn state(&self) -> State {
        self.lock().clone()
    }

    /// Puts back what it held: an older state is restored from a backup, and all watches have to begin anew. No version is given twice.
    pub(crate) fn restore(&self, state: State) {
        let mut now = self.lock();
        let version = now.version.max(state.version);
        *now = state;
        now.version = version + 1_000;
        for of in now.databases.keys() {
            self.declared(&now, of);
        }
        self.restored.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was put back.
    pub(crate) fn restored(&self) -> u64 {
        self.restored.load(Ordering::Relaxed)
    }

    /// What it holds now, with what has arrived late by now.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.time.elapsed();
        while let Some(position) = state.late.iter().position(|(due, _)| *due <= now) {
            let (_, write) = state.late.remove(position);
            // Nobody waits for the answer any more.
            drop(self.make(&mut state, &write));
        }
        state
    }
}

pub(crate) fn key(namespace: &str, name: &str) -> Key {
    Key { namespace: namespace.to_owned(), name: name.to_owned() }
}
