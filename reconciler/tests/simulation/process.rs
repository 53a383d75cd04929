//! One process of the operator: the whole core over simulated ports, with its watches and a queue as kube's controller has it. Dropped, it is
//! killed; not polled, it stands still.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{self, Poll};
use std::time::Duration;

use reconciler::again::Again;
use reconciler::context::Context;
use reconciler::controller::reconcile;
use reconciler::lease::Fence;
use reconciler::providers::sweep::Change;
use reconciler::turns::Key;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::assembly::{Assembly, Ports};
use crate::chance::{ProcessClock, Seeded};
use crate::cluster::Client;
use crate::gate::Gate;
use crate::watching::Watching;
use crate::world::{CLUSTER, World};

/// What is gone is forgotten this often, while there is something to do.
const UPKEEP: Duration = Duration::from_secs(60);
/// One that has nothing to do looks up now and then.
const IDLE: Duration = Duration::from_hours(1);
/// Passes at a time.
const CONCURRENCY: usize = 16;

type Pass = Pin<Box<dyn Future<Output = Again> + Send>>;

pub(crate) struct Process {
    pub(crate) clock: Arc<ProcessClock>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) watching: Arc<Watching>,
    /// Whether it renews its Lease.
    pub(crate) leads: bool,
    world: Arc<World>,
    context: Arc<Context>,
    sweeps: Pin<Box<dyn Future<Output = ()> + Send>>,
    queue: BTreeMap<Key, Instant>,
    running: BTreeMap<Key, Pass>,
    called: mpsc::UnboundedReceiver<Key>,
    changes: mpsc::Receiver<Change>,
    next_upkeep: Instant,
    wake: Pin<Box<Sleep>>,
}

impl Process {
    /// A process that has just begun to act and remembers nothing.
    pub(crate) fn start(world: &Arc<World>, seed: u64) -> Self {
        let clock = Arc::new(ProcessClock::start(world.time));
        let (gate, chance) = (Arc::new(Gate::open(world.effects.clone())), Arc::new(Seeded::new(seed)));
        let watching = Arc::new(Watching::begin(world.kubernetes.clone()));
        let fence = Fence::closed(clock.clone());
        let client = Client {
            kubernetes: world.kubernetes.clone(),
            gate: gate.clone(),
            faults: world.weather.clone(),
            chance: world.chance.clone(),
            echoes: watching.echoes.clone(),
        };
        let ports = Ports {
            cluster: (world.mutant.cluster)(Arc::new(client)),
            connector: world.connector(&gate, &fence),
            server: world.server(&gate),
            watching: watching.clone(),
            fence,
            clock: clock.clone(),
            entropy: chance,
        };
        let Assembly { context, sweeps, called, changes } = Assembly::new(world.mutant, ports);
        let now = Instant::now();
        Self {
            clock,
            gate,
            watching,
            leads: true,
            world: world.clone(),
            context: Arc::new(context),
            sweeps,
            queue: BTreeMap::new(),
            running: BTreeMap::new(),
            called,
            changes,
            next_upkeep: now,
            wake: Box::pin(sleep_until(now)),
        }
    }

    /// Goes on as far as it can.
    pub(crate) fn poll(&mut self, cx: &mut task::Context<'_>) {
        // The sweeps never end while the process lives.
        let _ = self.sweeps.as_mut().poll(cx);
        loop {
            let now = Instant::now();
            self.upkeep(now);
            self.listen(now, cx);
            let moved = self.begin(now) | self.go_on(cx);
            if self.gate.is_dead() {
                return;
            }
            if !moved {
                let next = self.next(now);
                if self.wake.deadline() != next || self.wake.is_elapsed() {
                    self.wake.as_mut().reset(next);
                }
                if self.wake.as_mut().poll(cx).is_pending() {
                    return;
                }
            }
        }
    }

    fn upkeep(&mut self, now: Instant) {
        // It renews its Lease every few seconds: whenever it does anything, it has done so.
        if self.leads {
            self.context.fence.renewed(self.context.now());
        }
        if now >= self.next_upkeep {
            self.context.memory.retain(&self.watching.objects());
            self.next_upkeep = now + UPKEEP;
        }
    }

    /// Puts in the queue what calls for a pass. Of two times the earlier counts.
    fn listen(&mut self, now: Instant, cx: &mut task::Context<'_>) {
        for key in self.watching.take(now) {
            self.call(key, now);
        }
        while let Poll::Ready(Some(key)) = self.called.poll_recv(cx) {
            self.call(key, now);
        }
        while let Poll::Ready(Some(Change(instance))) = self.changes.poll_recv(cx) {
            for key in self.watching.concerned(&instance, CLUSTER) {
                self.call(key, now);
            }
        }
    }

    fn call(&mut self, key: Key, at: Instant) {
        let due = self.queue.entry(key).or_insert(at);
        *due = at.min(*due);
    }

    /// Begins the passes whose time has come; one at a time of an object.
    fn begin(&mut self, now: Instant) -> bool {
        let mut begun = false;
        let due: Vec<Key> = self.queue.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            if self.running.len() >= CONCURRENCY || self.running.contains_key(&key) {
                continue;
            }
            self.queue.remove(&key);
            if !self.watching.knows(&key) {
                continue;
            }
            let (context, object) = (self.context.clone(), key.clone());
            self.running.insert(key, Box::pin(async move { reconcile(&context, &object).await }));
            self.world.passes.fetch_add(1, Ordering::Relaxed);
            begun = true;
        }
        begun
    }

    /// Goes on with the passes under way.
    fn go_on(&mut self, cx: &mut task::Context<'_>) -> bool {
        let mut ended = Vec::new();
        for (key, pass) in &mut self.running {
            if let Poll::Ready(again) = pass.as_mut().poll(cx) {
                ended.push((key.clone(), again));
            }
        }
        let any = !ended.is_empty();
        for (key, again) in ended {
            self.running.remove(&key);
            if let Again::After(pause) = again {
                self.call(key, Instant::now() + pause);
            }
        }
        any
    }

    /// When it has something to do by itself.
    fn next(&self, now: Instant) -> Instant {
        let waiting = self.queue.iter().filter(|(key, _)| !self.running.contains_key(*key)).map(|(_, at)| *at);
        let times = waiting.chain(self.watching.next());
        // It has nothing to do until something happens.
        times.min().unwrap_or(now + IDLE).max(now + Duration::from_nanos(1))
    }
}
