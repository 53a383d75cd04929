//! Whose turn it is to visit a database: few visits at a time, shared fairly.
//!
//! A visit may take as long as somebody else's server likes. It takes no place from passes: an object whose turn has not come is called
//! when it has.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::{Clock, Moment};

/// Visits at a time. Each holds an answer of at most a few MiB.
const PLACES: usize = 8;
/// Visits of one namespace at a time.
const OF_A_NAMESPACE: usize = PLACES / 2;
/// Visits at a time of objects whose last one was slow.
const SLOW: usize = PLACES / 2;
/// Whoever is called and does not come in this time has gone elsewhere.
const PATIENCE: Duration = Duration::from_secs(10);
/// A visit of which a part took longer is a slow one.
const LONG: Duration = Duration::from_secs(3);

/// An object by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "as Kubernetes calls them")]
pub struct Key {
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name } = self;
        write!(f, "{namespace}/{name}")
    }
}

/// How long the visits to an object take: a slow one is known by its slowest part, however quickly the others pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    last_was_slow: bool,
    is_slow: bool,
}

impl Pace {
    /// Whether the visit that is under way or the one before it is slow.
    pub fn slow(self) -> bool {
        self.last_was_slow || self.is_slow
    }

    /// A part of a visit took so long; with the last one the visit is over.
    pub fn after(&mut self, took: Duration, over: bool) {
        self.is_slow |= took > LONG;
        if over {
            *self = Self { last_was_slow: self.is_slow, is_slow: false };
        }
    }
}

/// The turns of all objects. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Turns {
    queue: Arc<Mutex<Queue>>,
    calls: mpsc::UnboundedSender<Key>,
    clock: Arc<dyn Clock>,
}

/// The turn of one object; it ends when this is dropped.
pub struct Turn {
    turns: Turns,
    key: Key,
}

impl Turns {
    /// Nobody waits yet. Objects whose turn has come while they waited are sent to `calls`.
    pub fn new(calls: mpsc::UnboundedSender<Key>, clock: Arc<dyn Clock>) -> Self {
        Self { queue: Arc::default(), calls, clock }
    }

    /// The turn of an object, if it is its turn; else it is called when it is. `slow` is what its [`Pace`] says.
    pub fn take(&self, key: &Key, slow: bool) -> Option<Turn> {
        let now = self.clock.now();
        let (taken, called) = {
            let mut queue = self.lock();
            let called = queue.ask(key, slow, now);
            (queue.begin(key), called)
        };
        self.call(called, Some(key));
        taken.then(|| Turn { turns: self.clone(), key: key.clone() })
    }

    fn call(&self, called: Vec<Key>, except: Option<&Key>) {
        for key in called.into_iter().filter(|key| Some(key) != except) {
            // The receiver lives as long as the controller: nobody is left to be called after it.
            let _ = self.calls.send(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Each change leaves the queue whole: a panic elsewhere leaves nothing half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let called = self.turns.lock().end(&self.key, self.turns.clock.now());
        self.turns.call(called, None);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    slow: bool,
    /// It was called and has not come yet; until then its place is kept.
    kept_until: Option<Moment>,
}

/// Who visits, and who waits in which order.
#[derive(Debug, Default)]
struct Queue {
    places: BTreeMap<Key, Place>,
    waiting: VecDeque<(Key, bool)>,
}

impl Queue {
    /// Puts an object in the queue, unless it is there or has a place; gives those who are called.
    fn ask(&mut self, key: &Key, slow: bool, now: Moment) -> Vec<Key> {
        self.places.retain(|_, place| place.kept_until.is_none_or(|until| now < until));
        if !self.places.contains_key(key) && !self.waiting.iter().any(|(waiting, _)| waiting == key) {
            self.waiting.push_back((key.clone(), slow));
        }
        self.fill(now)
    }

    /// Begins a visit, where a place is kept for it.
    fn begin(&mut self, key: &Key) -> bool {
        self.places.get_mut(key).map(|place| place.kept_until = None).is_some()
    }

    /// Ends a visit; gives those who are called.
    fn end(&mut self, key: &Key, now: Moment) -> Vec<Key> {
        self.places.remove(key);
        self.fill(now)
    }

    /// Gives free places to those who wait: first to the namespace that has the fewest, then in the order in which they came.
    fn fill(&mut self, now: Moment) -> Vec<Key> {
        let mut called = Vec::new();
        while self.places.len() < PLACES {
            let of = |namespace: &str| self.places.keys().filter(|key| key.namespace == namespace).count();
            let slow = self.places.values().filter(|place| place.slow).count();
            let next = self.waiting.iter().enumerate();
            let next =
                next.filter(|(_, (key, is_slow))| of(&key.namespace) < OF_A_NAMESPACE && (!is_slow || slow < SLOW));
            let Some(position) =
                next.min_by_key(|(position, (key, _))| (of(&key.namespace), *position)).map(|(p, _)| p)
            else {
                break;
            };
            let Some((key, slow)) = self.waiting.remove(position) else { break };
            self.places.insert(key.clone(), Place { slow, kept_until: Some(now + PATIENCE) });
            called.push(key);
        }
        called
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::TokioClock;

    fn key(namespace: &str, name: usize) -> Key {
        Key { namespace: namespace.to_owned(), name: format!("db-{name}") }
    }

    fn turns() -> (Turns, mpsc::UnboundedReceiver<Key>) {
        let (calls, called) = mpsc::unbounded_channel();
        (Turns::new(calls, TokioClock::start()), called)
    }

    #[tokio::test]
    async fn i13_one_namespace_takes_half_of_the_turns() {
        let (turns, mut called) = turns();
        let taken: Vec<_> = (0..32).filter_map(|name| turns.take(&key("many", name), false)).collect();
        assert_eq!(taken.len(), OF_A_NAMESPACE);
        assert!(turns.take(&key("other", 0), false).is_some(), "another one does not wait");
        drop(taken);
        let next: Vec<_> = std::iter::from_fn(|| called.try_recv().ok()).collect();
        assert_eq!(next, (OF_A_NAMESPACE..2 * OF_A_NAMESPACE).map(|name| key("many", name)).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn i13_the_slow_of_many_namespaces_leave_room_for_the_others() {
        let (turns, _called) = turns();
        let taken: Vec<_> = (0..32).filter_map(|n| turns.take(&key(&format!("n{n}"), n), true)).collect();
        assert_eq!(taken.len(), SLOW);
        assert!(turns.take(&key("other", 0), false).is_some());
    }

    #[test]
    fn i13_a_quick_look_makes_no_slow_visit_quick() {
        let (quick, slow) = (Duration::from_millis(10), Duration::from_secs(10));
        let mut pace = Pace::default();
        for _ in 0..2 {
            pace.after(quick, false);
            pace.after(slow, false);
            pace.after(quick, true);
            assert!(pace.slow());
        }
        pace.after(quick, false);
        assert!(pace.slow(), "its work comes next");
        pace.after(quick, true);
        assert!(!pace.slow());
    }

    #[tokio::test]
    async fn whoever_has_fewest_comes_first() {
        let (turns, mut called) = turns();
        let mut taken: Vec<_> = (0..4).filter_map(|name| turns.take(&key("a", name), false)).collect();
        taken.extend((0..4).filter_map(|name| turns.take(&key("b", name), false)));
        assert_eq!(taken.len(), PLACES);
        assert!(turns.take(&key("a", 9), false).is_none() && turns.take(&key("c", 0), false).is_none());
        drop(taken.pop());
        assert_eq!(called.try_recv().ok(), Some(key("c", 0)), "it came last and has none yet");
        assert!(turns.take(&key("c", 0), false).is_some(), "its place was kept");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_not_kept_for_ever() {
        let (turns, mut called) = turns();
        let taken: Vec<_> = (0..4).filter_map(|name| turns.take(&key("a", name), false)).collect();
        assert!(turns.take(&key("a", 4), false).is_none());
        drop(taken);
        assert_eq!(called.try_recv().ok(), Some(key("a", 4)));
        tokio::time::sleep(PATIENCE).await;
        let taken: Vec<_> = (5..9).filter_map(|name| turns.take(&key("a", name), false)).collect();
        assert_eq!(taken.len(), OF_A_NAMESPACE, "the one that was called has gone");
    }
}
