//! A moment of a small world: one value, from which everything that can come next follows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reconciler::clock::Moment;
use reconciler::memory::Recollection;
use reconciler::providers::Instance;
use reconciler::turns::Key;

use super::digest::{Numbers, children_digest, instances_digest, object_digest};
use crate::cloud::state::CloudState;
use crate::cluster::{self, children_of};
use crate::history::Happened;
use crate::server;

/// What may still happen to a small world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// How often somebody changes a specification.
    pub(crate) edits: u8,
    /// How many objects somebody deletes.
    pub(crate) deletions: u8,
    /// How often the process is killed.
    pub(crate) kills: u8,
    /// How many passes are told a stale truth, or have calls that go wrong.
    pub(crate) stale: u8,
    /// How many of the world's deeds are yet to be done.
    pub(crate) deeds: u8,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { edits, deletions, kills, stale, deeds } = self;
        write!(f, "{edits} edits, {deletions} deletions, {kills} kills, {stale} stale, {deeds} deeds")
    }
}

impl Budget {
    /// Nothing disturbs.
    pub(crate) const NONE: Self = Self { edits: 0, deletions: 0, kills: 0, stale: 0, deeds: 0 };
}

/// All of a small world.
#[derive(Clone)]
pub(crate) struct Node {
    /// Since the beginning.
    pub(super) at: Duration,
    pub(super) kubernetes: cluster::State,
    pub(super) clouds: Arc<Vec<CloudState>>,
    pub(super) servers: Arc<server::State>,
    pub(super) process: Process,
    pub(super) left: Budget,
    pub(super) before: BTreeMap<Key, Before>,
    /// A death of the process now leads where one before the last step did: the pass had no effect, and what it left in the memory is lost.
    pub(super) dies_as_before: bool,
    /// Of what there is outside of the process.
    pub(super) numbers: Numbers,
    /// Passwords that were put into Secrets, by namespace.
    pub(super) minted: BTreeMap<String, u64>,
    pub(super) past: Option<Arc<Past>>,
}

/// What a process has in its memory.
#[derive(Clone, Debug)]
pub(super) struct Process {
    /// When it began.
    pub(super) since: Moment,
    /// How often it has read its clock: no two readings are the same.
    pub(super) readings: u64,
    /// By the objects' UIDs.
    pub(super) objects: BTreeMap<String, Recollection>,
    /// Passes that have failed in a row.
    pub(super) failures: BTreeMap<Key, u32>,
    /// When each object is looked at next.
    pub(super) queue: BTreeMap<Key, Duration>,
}

impl Process {
    /// One that begins, and lists all objects there are.
    pub(super) fn begin(at: Duration, readings: u64, objects: &cluster::State) -> Self {
        Self {
            since: Moment::START + at + Duration::from_nanos(readings),
            readings,
            objects: BTreeMap::new(),
            failures: BTreeMap::new(),
            queue: objects.databases.keys().map(|key| (key.clone(), at)).collect(),
        }
    }

    pub(super) fn call(&mut self, key: Key, at: Duration) {
        let due = self.queue.entry(key).or_insert(at);
        *due = at.min(*due);
    }
}

/// What was true of an object before the last step that changed it: a stale read is answered by that. Each object has its own: what becomes of
/// another one makes no answer older.
#[derive(Clone, Default)]
pub(super) struct Before {
    pub(super) object: Option<Arc<(cluster::State, u64)>>,
    pub(super) children: Option<Arc<(cluster::State, u64)>>,
    /// Its own instances.
    pub(super) inventory: Option<Arc<(Vec<Instance>, u64)>>,
}

/// What has happened until now.
pub(super) struct Past {
    pub(super) events: Vec<Happened>,
    pub(super) earlier: Option<Arc<Past>>,
}

impl Past {
    /// All of it, in its order.
    pub(super) fn events(last: Option<&Arc<Self>>) -> Vec<Happened> {
        let parts: Vec<_> = std::iter::successors(last, |past| past.earlier.as_ref()).collect();
        parts.into_iter().rev().flat_map(|past| past.events.iter().cloned()).collect()
    }
}

impl Node {
    /// The instances that are shown.
    pub(super) fn instances(&self) -> Vec<Instance> {
        self.clouds.iter().flat_map(|cloud| cloud.view().instances.iter().cloned()).collect()
    }

    /// The object whose time has come first; `None` where all wait.
    pub(super) fn due(&self) -> Option<&Key> {
        let due = self.process.queue.iter().filter(|(_, at)| **at <= self.at);
        due.min_by_key(|(_, at)| **at).map(|(key, _)| key)
    }

    /// The instances that are marked as those of an object.
    pub(super) fn instances_of(&self, object: &Key) -> Vec<Instance> {
        self.instances().into_iter().filter(|instance| is_of(instance, object)).collect()
    }

    /// Remembers what `earlier` was, where this is something else.
    pub(super) fn remember(&mut self, earlier: &Self) {
        if self.left.stale == 0 {
            self.before.clear();
            return;
        }
        let then = &earlier.kubernetes;
        let clouds_changed = !Arc::ptr_eq(&self.clouds, &earlier.clouds);
        let mut before = std::mem::take(&mut self.before);
        before.retain(|object, _| self.kubernetes.databases.contains_key(object));
        for (object, raw) in &self.kubernetes.databases {
            let before = before.entry(object.clone()).or_default();
            if then.databases.get(object).is_none_or(|was| !Arc::ptr_eq(raw, was)) {
                before.object = Some(Arc::new((then.clone(), object_digest(then, object))));
            }
            if !children_of(&self.kubernetes, &object.namespace).eq(children_of(then, &object.namespace)) {
                before.children = Some(Arc::new((then.clone(), children_digest(then, Some(&object.namespace)))));
            }
            let was = clouds_changed.then(|| earlier.instances_of(object));
            if let Some(was) = was.filter(|was| *was != self.instances_of(object)) {
                let digest = instances_digest(&was);
                before.inventory = Some(Arc::new((was, digest)));
            }
        }
        self.before = before;
    }
}

pub(super) fn is_of(instance: &Instance, object: &Key) -> bool {
    let marks = &instance.marks;
    marks.namespace.as_ref() == Some(&object.namespace) && marks.name.as_ref() == Some(&object.name)
}
