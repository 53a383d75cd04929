//! One step from one moment to the next: all is put back, one thing happens, and all is taken out again.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reconciler::again::Again;
use reconciler::controller::reconcile;
use reconciler::entropy::Entropy;
use reconciler::lease::Fence;
use reconciler::memory::Memory;
use reconciler::providers::Connector;
use reconciler::turns::Key;
use serde_json::Value;

use super::here::Here;
use super::node::{Before, Budget, Node, Past, Process};
use super::stale::{Behind, Listing};
use super::step::{Step, Truth};
use crate::assembly::{Assembly, Ports};
use crate::chance::{ProcessClock, Time};
use crate::cloud::history::CloudEvent;
use crate::cloud::state::CloudState;
use crate::cloud::timetables::Pace;
use crate::cluster::{self, Client, ClusterEvent, Kubernetes, text};
use crate::gate::{Death, Gate};
use crate::history::{Event, Happened, History};
use crate::mutants::Mutant;
use crate::oracle::{self, Violation};
use crate::server;
use crate::watching::{ALIASES, Watching};
use crate::world::{CLUSTER, World};

/// A pass that has done something is followed by another at once: that takes no time here.
const AT_ONCE: Duration = Duration::from_millis(1);
/// Longer than any pass in peace, which waits for nothing.
const LONGEST_PASS: Duration = Duration::from_secs(60);

/// What there is in the beginning, and what may become of it.
#[derive(Clone)]
pub(crate) struct SmallWorld {
    pub(crate) objects: Vec<Key>,
    /// The specification in the beginning, then those that an object may be changed to.
    pub(crate) wishes: Vec<Value>,
    pub(crate) budget: Budget,
    pub(crate) mutant: &'static Mutant,
}

/// What came of a step.
pub(super) struct Played {
    pub(super) node: Node,
    /// Effects of the operator's.
    pub(super) effects: u32,
    /// All objects are as they should be, or say what somebody has to do.
    pub(super) settled: bool,
    /// What would be wrong if all were at rest now.
    pub(super) amiss: Option<Violation>,
    pub(super) violation: Option<Violation>,
    pub(super) log: Vec<String>,
}

/// No answer takes time and no pause is stretched; each password is another one, and follows from how many there have been.
#[derive(Debug)]
struct Mint(AtomicU64);

impl Entropy for Mint {
    fn fill(&self, bytes: &mut [u8]) {
        // A fraction is drawn from four bytes.
        if bytes.len() <= 4 {
            return bytes.fill(0);
        }
        StdRng::seed_from_u64(self.0.fetch_add(1, Ordering::Relaxed)).fill_bytes(bytes);
    }
}

impl SmallWorld {
    /// The first moment: the objects were applied, and a process begins.
    pub(super) fn begin(&self) -> Node {
        let world = self.world(Duration::ZERO);
        for namespace in self.objects.iter().map(|object| object.namespace.as_str()).chain([ALIASES]) {
            world.kubernetes.namespace(namespace, BTreeMap::new());
        }
        for object in &self.objects {
            let applied = world.kubernetes.apply(object, &self.wishes[0], true);
            applied.expect("the webhook takes the first wish");
        }
        let kubernetes = world.kubernetes.state();
        Node {
            at: Duration::ZERO,
            process: Process::begin(Duration::ZERO, 0, &kubernetes),
            kubernetes,
            clouds: Arc::new(world.clouds.iter().map(|cloud| cloud.state()).collect()),
            servers: Arc::new(world.servers.state()),
            left: self.budget,
            before: Before::default(),
            minted: BTreeMap::new(),
            past: None,
        }
    }

    fn world(&self, at: Duration) -> Arc<World> {
        World::with(Time::after(at), Pace::Brisk, Arc::new(Mint(AtomicU64::default())), self.mutant)
    }

    /// Puts a moment back; time is as far as `at`.
    pub(super) fn restored(&self, node: &Node, at: Duration) -> Arc<World> {
        let world = self.world(at);
        world.kubernetes.restore(node.kubernetes.clone());
        world.servers.restore(server::State::clone(&node.servers));
        for (cloud, state) in world.clouds.iter().zip(&*node.clouds) {
            cloud.restore(state.clone());
        }
        world
    }

    /// Does one thing. To be called where a clock is stopped.
    pub(super) async fn play(&self, node: &Node, step: &Step) -> Played {
        let at = match step {
            Step::Wait => next_moment(node).unwrap_or(node.at),
            _ => node.at,
        };
        let world = self.restored(node, at);
        let watching = Arc::new(Watching::begin(world.kubernetes.clone()));
        // It has listed all there is.
        watching.take(tokio::time::Instant::now());
        let mut next = node.clone();
        match step {
            Step::Pass { object, truth, killed } => {
                self.pass(&world, &watching, &mut next, object, *truth, *killed).await;
                next.left.stale -= u8::from(*truth != Truth::Now);
                next.left.kills -= u8::from(killed.is_some());
            }
            Step::Restart => {
                next.left.kills -= 1;
                world.history.happened(Event::Begun);
                next.process = Process::begin(at, node.process.readings, &node.kubernetes);
            }
            Step::Wait => {
                let cloud = world.clouds.iter().map(|cloud| cloud.view().instances.clone());
                let now: Vec<_> = cloud.flatten().collect();
                let then = node.instances();
                // A sweep sees what has changed, and calls whom it concerns.
                let changed =
                    then.iter().filter(|was| !now.contains(was)).chain(now.iter().filter(|is| !then.contains(is)));
                for key in changed.flat_map(|instance| watching.concerned(instance, CLUSTER)) {
                    next.process.call(key, at);
                }
            }
            Step::Edit { object, wish } => {
                next.left.edits -= 1;
                // What the webhook refuses is an edit that was not made.
                drop(world.kubernetes.apply(object, &self.wishes[*wish], true));
            }
            Step::Delete(object) => {
                next.left.deletions -= 1;
                drop(world.kubernetes.delete(object, true));
            }
        }
        let now = world.time.elapsed();
        for key in watching.take(tokio::time::Instant::now()) {
            next.process.call(key, now);
        }
        next.at = now;
        next.kubernetes = world.kubernetes.state();
        let effects = u32::try_from(world.effects.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        if effects > 0 || now > node.at {
            next.clouds = Arc::new(world.clouds.iter().map(|cloud| cloud.state()).collect());
            next.servers = Arc::new(world.servers.state());
        }
        next.process.queue.retain(|key, _| next.kubernetes.databases.contains_key(key));
        next.remember(node);
        let violation = follow(&mut next, &world.history);
        let settled = oracle::waits(&world).is_none();
        let rests = settled && effects == 0 && matches!(step, Step::Pass { .. }) && next.due().is_none();
        let amiss = if rests { oracle::living(&world).await.err() } else { None };
        Played { node: next, effects, settled, amiss, violation, log: world.history.lines() }
    }

    /// A pass of an object, to its end or to the death of the process.
    async fn pass(
        &self,
        world: &Arc<World>,
        watching: &Arc<Watching>,
        next: &mut Node,
        object: &Key,
        truth: Truth,
        killed: Option<u32>,
    ) {
        let gate = Arc::new(Gate::open(world.effects.clone()));
        if let Some(after) = killed {
            gate.order(Death { after, made: true });
        }
        let clock = Arc::new(ProcessClock::resumed(world.time, next.process.readings));
        let minted = next.minted.get(&object.namespace).copied().unwrap_or_default();
        let nth = self.objects.iter().position(|found| found == object).unwrap_or_default();
        let fence = Fence::closed(clock.clone());
        let client = |kubernetes: Arc<Kubernetes>| {
            let (gate, faults, chance) = (gate.clone(), world.weather.clone(), world.chance.clone());
            (self.mutant.cluster)(Arc::new(Client { kubernetes, gate, faults, chance }))
        };
        let writes = client(world.kubernetes.clone());
        let earlier = |before: &Option<Arc<(cluster::State, u64)>>, truth_is: Truth| match before {
            Some(before) if truth == truth_is => {
                let kubernetes = Kubernetes::new(world.time, Arc::new(History::begin(world.time)));
                kubernetes.restore(before.0.clone());
                client(Arc::new(kubernetes))
            }
            _ => writes.clone(),
        };
        let cluster = Behind {
            objects: earlier(&next.before.objects, Truth::ObjectsBefore),
            children: earlier(&next.before.children, Truth::ChildrenBefore),
            writes: writes.clone(),
        };
        let instances = match truth {
            Truth::InventoryBefore => next.before.inventory.as_ref().map(|before| Arc::new(before.0.clone())),
            Truth::InventoryEmpty => Some(Arc::default()),
            Truth::Now | Truth::ObjectsBefore | Truth::ChildrenBefore => None,
        };
        let connector: Box<dyn Connector> = world.connector(&gate, &fence);
        let ports = Ports {
            cluster: Arc::new(cluster),
            connector: Box::new(Listing { inner: connector, instances }),
            server: Arc::new(Here::lead_to(&world.servers, &gate)),
            watching: watching.clone(),
            fence,
            clock: clock.clone(),
            entropy: Arc::new(Mint(AtomicU64::new(minted + (nth as u64 + 1) * 1_000_000))),
        };
        let Assembly { mut context, mut sweeps, mut called, changes: _ } = Assembly::new(self.mutant, ports);
        context.acting_since = Arc::new(next.process.since.into());
        recall(&context.memory, &next.process);
        next.process.queue.remove(object);
        let ended = {
            let mut pass = pin!(reconcile(&context, object));
            let run = poll_fn(|cx| {
                // The sweeps never end while the process lives.
                let _ = sweeps.as_mut().poll(cx);
                match pass.as_mut().poll(cx) {
                    Poll::Ready(again) => Poll::Ready(Some(again)),
                    Poll::Pending if gate.is_dead() => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            });
            tokio::time::timeout(LONGEST_PASS, run).await.expect("a pass in peace ends")
        };
        let at = world.time.elapsed();
        let state = world.kubernetes.state();
        next.process.readings = clock.readings();
        let Some(again) = ended else {
            world.history.happened(Event::Begun);
            next.process = Process::begin(at, clock.readings(), &state);
            return;
        };
        if let Again::After(pause) = again {
            next.process.call(object.clone(), if pause <= AT_ONCE { at } else { at + pause });
        }
        while let Ok(key) = called.try_recv() {
            next.process.call(key, at);
        }
        take(&context.memory, &mut next.process, &state);
    }
}

/// When something is due next: an object, or something in the cloud.
fn next_moment(node: &Node) -> Option<Duration> {
    let objects = node.process.queue.values().copied();
    let cloud = node.clouds.iter().filter_map(CloudState::next_moment);
    let cloud = cloud.map(|at| at.duration_since(crate::chance::beginning()).try_into().unwrap_or(node.at));
    objects.chain(cloud).map(|at| at.max(node.at)).min()
}

fn recall(memory: &Memory, process: &Process) {
    for (uid, recollection) in &process.objects {
        memory.update(uid, |found| found.clone_from(recollection));
    }
    for (key, failures) in &process.failures {
        (0..*failures).for_each(|_| _ = memory.failed(key));
    }
}

/// What a pass has left in the memory; of what is gone nothing is kept.
fn take(memory: &Memory, process: &mut Process, state: &cluster::State) {
    process.objects.clear();
    process.failures.clear();
    for (key, object) in &state.databases {
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        process.objects.insert(uid.to_owned(), memory.recall(uid));
        // It tells the number by counting one more.
        let failures = memory.failed(key) - 1;
        if failures > 0 {
            process.failures.insert(key.clone(), failures);
        }
    }
}

/// Adds what has happened to the past, and judges it.
fn follow(next: &mut Node, history: &History) -> Option<Violation> {
    let quiet = |happened: &Happened| match &happened.what {
        Event::Cloud { record, .. } => matches!(record.event, CloudEvent::Called { code: None, .. }),
        _ => false,
    };
    let events: Vec<_> = history.events().into_iter().filter(|happened| !quiet(happened)).collect();
    if events.is_empty() {
        return None;
    }
    for happened in &events {
        if let Event::Cluster(ClusterEvent::Secret { of, before, after: Some(after) }) = &happened.what {
            let password = |secret| text(secret, "password");
            if password(after).is_some() && before.as_ref().and_then(|before| password(before)) != password(after) {
                *next.minted.entry(of.namespace.clone()).or_default() += 1;
            }
        }
    }
    next.past = Some(Arc::new(Past { events, earlier: next.past.take() }));
    oracle::events_hold(&Past::events(next.past.as_ref())).err()
}
