//! A pass of one object, between a memory that is put back and a memory that is taken out again.

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

use super::here::Here;
use super::node::{Node, Process, is_of};
use super::play::SmallWorld;
use super::stale::{Behind, Listing};
use super::step::Truth;
use crate::assembly::{Assembly, Ports};
use crate::chance::ProcessClock;
use crate::cluster::{self, Client, Kubernetes};
use crate::gate::{Death, Gate};
use crate::history::{Event, History};
use crate::watching::Watching;
use crate::world::World;

/// A pass that has done something is followed by another at once: that takes no time here.
const AT_ONCE: Duration = Duration::from_millis(1);
/// Longer than any pass in peace, which waits for nothing.
const LONGEST_PASS: Duration = Duration::from_secs(60);

/// No answer takes time and no pause is stretched; each password is another one, and follows from how many there have been.
#[derive(Debug)]
pub(super) struct Mint(AtomicU64);

impl Mint {
    /// After so many.
    pub(super) fn after(minted: u64) -> Self {
        Self(minted.into())
    }
}

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
    /// A pass of an object, to its end or to the death of the process.
    pub(super) async fn pass(
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
            let echoes = watching.echoes.clone();
            (self.mutant.cluster)(Arc::new(Client { kubernetes, gate, faults, chance, echoes }))
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
        let before = next.before.get(object).cloned().unwrap_or_default();
        let cluster = Behind {
            objects: earlier(&before.object, Truth::ObjectsBefore),
            children: earlier(&before.children, Truth::ChildrenBefore),
            writes: writes.clone(),
        };
        let instances = match truth {
            Truth::InventoryBefore => {
                let others = next.instances().into_iter().filter(|instance| !is_of(instance, object));
                let own = before.inventory.iter().flat_map(|before| before.0.iter().cloned());
                Some(Arc::new(own.chain(others).collect()))
            }
            Truth::InventoryEmpty => Some(Arc::default()),
            Truth::Now | Truth::ObjectsBefore | Truth::ChildrenBefore | Truth::Amiss { .. } => None,
        };
        if let Truth::Amiss { nth, .. } = truth {
            world.weather.order(self.spells[nth]);
        }
        let connector: Box<dyn Connector> = world.connector(&gate, &fence);
        let ports = Ports {
            cluster: Arc::new(cluster),
            connector: Box::new(Listing { inner: connector, instances }),
            server: Arc::new(Here::lead_to(&world.servers, &gate)),
            watching: watching.clone(),
            fence,
            clock: clock.clone(),
            entropy: Arc::new(Mint::after(minted + (nth as u64 + 1) * 1_000_000)),
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
            next.process.call(object.clone(), if pause <= AT_ONCE { at } else { at + whole(pause) });
        }
        while let Ok(key) = called.try_recv() {
            next.process.call(key, at);
        }
        take(&context.memory, &mut next.process, &state);
    }
}

/// A pause as a clock has it that is not read: each reading takes a nanosecond, and by those no two things are due at one moment.
fn whole(pause: Duration) -> Duration {
    const MILLISECOND: Duration = Duration::from_millis(1);
    let over = Duration::from_nanos(u64::from(pause.subsec_nanos() % 1_000_000));
    if over.is_zero() { pause } else { pause.saturating_sub(over) + MILLISECOND }
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
