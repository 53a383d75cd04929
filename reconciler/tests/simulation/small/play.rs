//! One step from one moment to the next: all is put back, one thing happens, and all is taken out again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reconciler::turns::Key;
use serde_json::Value;

use super::digest::Numbers;
use super::node::{Budget, Node, Past, Process};
use super::pass::Mint;
use super::step::{Step, Truth};
use crate::chance::Time;
use crate::cloud::history::CloudEvent;
use crate::cloud::state::CloudState;
use crate::cloud::timetables::Pace;
use crate::cluster::{ClusterEvent, text};
use crate::history::{Event, Happened, History};
use crate::mutants::Mutant;
use crate::oracle::{self, Violation};
use crate::server;
use crate::watching::{ALIASES, Watching};
use crate::weather::Spell;
use crate::world::{CLUSTER, World};

/// What there is in the beginning, and what may become of it.
#[derive(Clone)]
pub(crate) struct SmallWorld {
    pub(crate) objects: Vec<Key>,
    /// The specification in the beginning, then those that an object may be changed to.
    pub(crate) wishes: Vec<Value>,
    pub(crate) budget: Budget,
    /// What somebody has done before the objects were applied, and how long each of it took.
    pub(crate) earlier: Vec<(Deed, Duration)>,
    /// What people do past the operator, in this order, with the object that is the first.
    pub(crate) deeds: Vec<Deed>,
    /// How calls of a pass may go wrong.
    pub(crate) spells: Vec<Spell>,
    pub(crate) mutant: &'static Mutant,
    /// Whether moments and orders that make no difference are left out.
    pub(crate) reduced: bool,
}

/// Something that somebody does to an object, or to what belongs to it.
#[derive(Clone, Copy)]
pub(crate) struct Deed {
    pub(crate) name: &'static str,
    pub(crate) play: fn(&World, &Key),
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

impl SmallWorld {
    /// One in which nobody does anything past the operator, and every call is answered.
    pub(super) fn of(objects: Vec<Key>, wishes: Vec<Value>, budget: Budget, mutant: &'static Mutant) -> Self {
        Self {
            objects,
            wishes,
            budget,
            earlier: Vec::new(),
            deeds: Vec::new(),
            spells: Vec::new(),
            mutant,
            reduced: true,
        }
    }

    /// The first moment: the objects were applied, and a process begins.
    pub(super) async fn begin(&self) -> Node {
        let world = self.world(Duration::ZERO);
        for namespace in self.objects.iter().map(|object| object.namespace.as_str()).chain([ALIASES]) {
            world.kubernetes.namespace(namespace, BTreeMap::new());
        }
        for (deed, lasts) in &self.earlier {
            (deed.play)(&world, &self.objects[0]);
            tokio::time::sleep(*lasts).await;
        }
        for object in &self.objects {
            let applied = world.kubernetes.apply(object, &self.wishes[0], true);
            applied.expect("the webhook takes the first wish");
        }
        let (at, kubernetes) = (world.time.elapsed(), world.kubernetes.state());
        let (clouds, servers) = taken(&world);
        let events = world.history.events();
        Node {
            at,
            process: Process::begin(at, 0, &kubernetes),
            numbers: Numbers::of(&kubernetes, &clouds, &servers),
            kubernetes,
            clouds,
            servers,
            left: self.budget,
            before: BTreeMap::new(),
            dies_as_before: false,
            minted: BTreeMap::new(),
            past: Some(Arc::new(Past { events, earlier: None })),
        }
    }

    fn world(&self, at: Duration) -> Arc<World> {
        World::with(Time::after(at), Pace::Brisk, Arc::new(Mint::after(0)), self.mutant)
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
            Step::Deed { nth, .. } => {
                next.left.deeds -= 1;
                (self.deeds[*nth].play)(&world, &self.objects[0]);
            }
        }
        let now = world.time.elapsed();
        for key in watching.take(tokio::time::Instant::now()) {
            next.process.call(key, now);
        }
        next.at = now;
        next.kubernetes = world.kubernetes.state();
        let effects = u32::try_from(world.effects.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        if effects > 0 || now > node.at || matches!(step, Step::Deed { .. }) {
            (next.clouds, next.servers) = taken(&world);
        }
        next.process.queue.retain(|key, _| next.kubernetes.databases.contains_key(key));
        next.dies_as_before = effects == 0 && matches!(step, Step::Pass { truth: Truth::Now, killed: None, .. });
        next.numbers = Numbers::after(node, &next);
        next.remember(node);
        let violation = follow(&mut next, &world.history);
        let settled = oracle::waits(&world).is_none();
        let rests = settled && next.due().is_none();
        let amiss = if rests { oracle::living(&world).await.err() } else { None };
        Played { node: next, effects, settled, amiss, violation, log: world.history.lines() }
    }
}

/// The clouds and the servers, as they are. What a cloud has shown before is not asked for here, and a backup of an instance that is gone, which
/// nobody sees, would be a clock that runs for days.
fn taken(world: &World) -> (Arc<Vec<CloudState>>, Arc<server::State>) {
    let clouds = world.clouds.iter().map(|cloud| cloud.state().without_a_past());
    (Arc::new(clouds.collect()), Arc::new(world.servers.state()))
}

/// When something is due next: an object, or something in the cloud.
fn next_moment(node: &Node) -> Option<Duration> {
    let objects = node.process.queue.values().copied();
    let cloud = node.clouds.iter().filter_map(CloudState::next_moment);
    let cloud = cloud.map(|at| at.duration_since(crate::chance::beginning()).try_into().unwrap_or(node.at));
    objects.chain(cloud).map(|at| at.max(node.at)).min()
}

/// Adds what has happened to the past, and judges it.
fn follow(next: &mut Node, history: &History) -> Option<Violation> {
    let quiet = |happened: &Happened| match &happened.what {
        Event::Cloud { record, .. } => matches!(record.event, CloudEvent::Called { mutates: false, code: None, .. }),
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
    let events = Past::events(next.past.as_ref());
    oracle::events_hold(&events).and_then(|()| oracle::one_process_holds(&events)).err()
}
