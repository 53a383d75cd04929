//! A moment of a small world: one value, from which everything that can come next follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reconciler::clock::Moment;
use reconciler::memory::Recollection;
use reconciler::providers::Instance;
use reconciler::turns::Key;

use super::digest::{children_digest, instances_digest, objects_digest};
use crate::cloud::state::CloudState;
use crate::cluster;
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
    /// How many passes are told a stale truth.
    pub(crate) stale: u8,
}

impl Budget {
    /// Nothing disturbs.
    pub(crate) const NONE: Self = Self { edits: 0, deletions: 0, kills: 0, stale: 0 };
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
    pub(super) before: Before,
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

/// What was true before the last step that changed it: a stale read is answered by that.
#[derive(Clone, Default)]
pub(super) struct Before {
    pub(super) objects: Option<Arc<(cluster::State, u64)>>,
    pub(super) children: Option<Arc<(cluster::State, u64)>>,
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

    /// Remembers what `earlier` was, where this is something else.
    pub(super) fn remember(&mut self, earlier: &Self) {
        if self.left.stale == 0 {
            self.before = Before::default();
            return;
        }
        let (now, then) = (&self.kubernetes, &earlier.kubernetes);
        if now.databases != then.databases {
            self.before.objects = Some(Arc::new((then.clone(), objects_digest(then))));
        }
        if now.secrets != then.secrets || now.services != then.services {
            self.before.children = Some(Arc::new((then.clone(), children_digest(then))));
        }
        if !Arc::ptr_eq(&self.clouds, &earlier.clouds) && self.instances() != earlier.instances() {
            let then = earlier.instances();
            let digest = instances_digest(&then);
            self.before.inventory = Some(Arc::new((then, digest)));
        }
    }
}
