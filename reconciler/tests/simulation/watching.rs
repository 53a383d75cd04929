//! What one process sees through its watches, each for itself: a watch can lag, repeat itself, or break off and list all anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use reconciler::cluster::Echoes;
use reconciler::providers::Instance;
use reconciler::subject::GuardedClass;
use reconciler::triggers;
use reconciler::turns::Key;
use reconciler::views::Views;
use tokio::time::Instant;

use crate::cluster::{Changed, Kind, Kubernetes, ObjectFacts};

/// The namespace of the alias Services.
pub(crate) const ALIASES: &str = "rds";

/// The watches of one process.
pub(crate) struct Watching {
    /// What the process wrote itself.
    pub(crate) echoes: Echoes,
    kubernetes: Arc<Kubernetes>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    objects: BTreeMap<Key, ObjectFacts>,
    classes: Vec<Arc<GuardedClass>>,
    watches: BTreeMap<Kind, Watch>,
    /// How often etcd was put back until now.
    restored: u64,
    /// How many changes were told until now, where no watch is held or broken: until there are more there is nothing to take in.
    taken: Option<usize>,
}

/// How far a watch is.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    next: usize,
    /// It tells nothing before then.
    held_until: Option<Instant>,
    /// It has broken off: all is to be listed.
    broken: bool,
}

impl Watching {
    /// Watches that list all there is, first of all.
    pub(crate) fn begin(kubernetes: Arc<Kubernetes>) -> Self {
        let broken = Watch { broken: true, ..Watch::default() };
        let watches = Kind::ALL.map(|kind| (kind, broken)).into();
        Self { echoes: Echoes::default(), kubernetes, seen: Mutex::new(Seen { watches, ..Seen::default() }) }
    }

    /// A watch says nothing until then.
    pub(crate) fn hold(&self, kind: Kind, until: Instant) {
        self.watch(kind, |watch| watch.held_until = Some(until));
    }

    /// A watch breaks off: what happens until the next list is never told.
    pub(crate) fn break_off(&self, kind: Kind) {
        self.watch(kind, |watch| watch.broken = true);
    }

    /// A watch tells its last changes once more.
    pub(crate) fn repeat(&self, kind: Kind, changes: usize) {
        self.watch(kind, |watch| watch.next = watch.next.saturating_sub(changes));
    }

    /// All watches tell what they have at once.
    pub(crate) fn release(&self) {
        self.lock().watches.values_mut().for_each(|watch| watch.held_until = None);
    }

    /// When a watch that is held speaks again.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.lock().watches.values().filter_map(|watch| watch.held_until).min()
    }

    /// Takes in what the watches tell by now, and gives the objects that call for a pass.
    pub(crate) fn take(&self, now: Instant) -> BTreeSet<Key> {
        let mut called = BTreeSet::new();
        let mut seen = self.lock();
        let told = self.kubernetes.all_told();
        if seen.taken == Some(told) && seen.restored == self.kubernetes.restored() {
            return called;
        }
        // No watch goes on where it was.
        if seen.restored != self.kubernetes.restored() {
            seen.restored = self.kubernetes.restored();
            seen.watches.values_mut().for_each(|watch| watch.broken = true);
        }
        for kind in Kind::ALL {
            let mut watch = seen.watches.get(&kind).copied().unwrap_or_default();
            if watch.held_until.is_some_and(|until| now < until) {
                continue;
            }
            watch.held_until = None;
            if watch.broken {
                watch = Watch { next: self.kubernetes.told(kind), ..Watch::default() };
                called.extend(seen.list(kind, &self.kubernetes));
            } else {
                for change in self.kubernetes.changes(kind, watch.next) {
                    watch.next += 1;
                    seen.follow(&change, self, &mut called);
                }
            }
            seen.watches.insert(kind, watch);
        }
        let up_to_date = seen.watches.values().all(|watch| watch.held_until.is_none());
        seen.taken = up_to_date.then_some(told);
        called
    }

    /// Whether the object is in the store: a pass is made for no other.
    pub(crate) fn knows(&self, object: &Key) -> bool {
        self.lock().objects.contains_key(object)
    }

    /// All objects in the store, with their UIDs.
    pub(crate) fn objects(&self) -> BTreeMap<Key, String> {
        self.lock().objects.iter().map(|(key, facts)| (key.clone(), facts.uid.clone())).collect()
    }

    /// The objects that a changed instance concerns.
    pub(crate) fn concerned(&self, instance: &Instance, cluster: &str) -> Vec<Key> {
        let seen = self.lock();
        let concerns = |(Key { namespace, name }, facts): &(&Key, &ObjectFacts)| {
            triggers::concerns(instance, cluster, namespace, name, facts.pinned.as_ref())
        };
        seen.objects.iter().filter(concerns).map(|(key, _)| key.clone()).collect()
    }

    fn watch(&self, kind: Kind, change: impl FnOnce(&mut Watch)) {
        let mut seen = self.lock();
        seen.taken = None;
        change(seen.watches.entry(kind).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// A list: each object in it is told of.
    fn list(&mut self, kind: Kind, kubernetes: &Kubernetes) -> BTreeSet<Key> {
        let state = kubernetes.state();
        match kind {
            Kind::Databases => {
                let facts = |(key, raw): (&Key, &Arc<_>)| (key.clone(), ObjectFacts::of(raw));
                self.objects = state.databases.iter().map(facts).collect();
                self.objects.keys().cloned().collect()
            }
            Kind::Secrets => {
                let owners = state.secrets.values().filter_map(|secret| triggers::owner(&secret.metadata, None));
                owners.collect()
            }
            Kind::Services => {
                let services = state.services.values();
                services.filter_map(|service| triggers::owner(&service.metadata, Some(ALIASES))).collect()
            }
            Kind::Namespaces => self.objects.keys().cloned().collect(),
            Kind::Classes => {
                self.classes = state.guarded_classes();
                self.objects.keys().cloned().collect()
            }
        }
    }

    fn follow(&mut self, change: &Changed, Watching { echoes, kubernetes, .. }: &Watching, called: &mut BTreeSet<Key>) {
        match change {
            Changed::Database(key, facts) => {
                let news = facts.as_ref().is_none_or(|facts| !echoes.hear(&facts.metadata()));
                match facts {
                    Some(facts) => drop(self.objects.insert(key.clone(), ObjectFacts::clone(facts))),
                    None => drop(self.objects.remove(key)),
                }
                called.extend(news.then(|| key.clone()));
            }
            Changed::Owned(metadata) => {
                called.extend(triggers::owner(metadata, Some(ALIASES)).filter(|_| !echoes.hear(metadata)));
            }
            Changed::Namespace(name) => {
                called.extend(self.objects.keys().filter(|key| key.namespace == *name).cloned());
            }
            Changed::Class => {
                self.classes = kubernetes.state().guarded_classes();
                called.extend(self.objects.keys().cloned());
            }
        }
    }
}

#[async_trait]
impl Views for Watching {
    fn leaving(&self, object: &Key) -> bool {
        self.lock().objects.get(object).is_none_or(|facts| facts.leaving)
    }

    fn objects(&self) -> usize {
        self.lock().objects.len()
    }

    async fn classes(&self) -> Option<Vec<Arc<GuardedClass>>> {
        Some(self.lock().classes.clone())
    }
}
