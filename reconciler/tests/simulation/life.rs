//! A life: a schedule played to its end, in peace, and what became of everything.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use jiff::SignedDuration;
use kube::ResourceExt as _;
use reconciler::plan::ACCEPT_ANNOTATION;
use tokio::time::{Instant, sleep_until};

use crate::cluster::{State, put, unlabelled};
use crate::console;
use crate::history::Event;
use crate::moment::Moment;
use crate::mutants::{Mutant, SHIPPED};
use crate::oracle::{self, Violation};
use crate::process::Process;
use crate::rebirth::{self, Settled};
use crate::schedule::{Act, Deed, NAMESPACES, Schedule, Timed};
use crate::world::World;

/// Longer than the longest pause of an object that is at rest.
const WINDOW: Duration = Duration::from_secs(700);
/// What has not come to rest by then never does: the cloud's longest wait is for the storage, six hours.
const LONGEST: Duration = Duration::from_hours(9);
/// What has not come to pass by then is not waited for any more.
const PATIENCE: Duration = Duration::from_mins(20);
/// Whether it has come to pass is looked at this often.
const GLANCE: Duration = Duration::from_secs(1);
/// Of one in so many lives all that is well before the end is made anew, and compared.
const REBIRTHS: u64 = 8;
/// In so many windows what is Ready has done all that can wait.
const SETTLING: u32 = 6;
/// Effects of an object that needs somebody, in a window.
const RETRIES: u64 = 8;

/// What became of a life.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) violation: Option<Violation>,
    pub(crate) log: Vec<String>,
    pub(crate) passes: u64,
    pub(crate) effects: u64,
    pub(crate) simulated: Duration,
}

/// Lives a life.
pub(crate) fn live(schedule: &Schedule) -> Outcome {
    live_with(schedule, &SHIPPED)
}

/// Lives a life with a fault in it.
pub(crate) fn live_with(schedule: &Schedule, mutant: &'static Mutant) -> Outcome {
    let (mut outcome, settled) = in_stopped_time(async {
        let mut life = Life::begin(schedule.seed, mutant);
        let violation = life.play(schedule).await.err();
        let world = &life.world;
        let outcome = Outcome {
            violation,
            log: world.history.lines(),
            passes: world.passes.load(Ordering::Relaxed),
            effects: world.effects.load(Ordering::Relaxed),
            simulated: world.time.elapsed(),
        };
        (outcome, life.settled)
    });
    if outcome.violation.is_none() && schedule.seed.is_multiple_of(REBIRTHS) {
        outcome.violation = settled.iter().find_map(|settled| rebirth::otherwise(settled, schedule.seed, mutant));
    }
    outcome
}

/// Plays something on a clock that is stopped: time passes when nothing else happens.
pub(crate) fn in_stopped_time<T>(play: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be built").block_on(play)
}

pub(crate) struct Life {
    pub(crate) world: Arc<World>,
    seed: u64,
    /// The first one is the leader; the others believe that they are.
    processes: Vec<Process>,
    /// What is to happen to processes.
    due: Vec<(Instant, Due)>,
    /// How long until another process begins after the next death.
    rest: Duration,
    /// What etcd held before each act.
    backups: Vec<State>,
    /// What had come to rest before the end.
    settled: Vec<Settled>,
}

/// What is to happen to a process.
#[derive(Clone, Copy, Debug)]
enum Due {
    Start,
    Thaw,
    EndOfRival,
}

impl Life {
    pub(crate) fn begin(seed: u64, mutant: &'static Mutant) -> Self {
        let world = World::new(seed, mutant);
        for namespace in NAMESPACES.into_iter().chain([crate::watching::ALIASES]) {
            world.kubernetes.namespace(namespace, std::collections::BTreeMap::new());
        }
        let mut life = Self {
            world,
            seed: seed.wrapping_mul(1_000_003),
            processes: Vec::new(),
            due: Vec::new(),
            rest: Duration::ZERO,
            backups: Vec::new(),
            settled: Vec::new(),
        };
        life.start();
        life
    }

    /// # Errors
    /// The first thing that is not as it should be.
    pub(crate) async fn play(&mut self, schedule: &Schedule) -> Result<(), Violation> {
        self.acts(&schedule.acts).await;
        self.peace().await?;
        oracle::living(&self.world).await?;
        self.settled = rebirth::settled(&self.world);
        self.acts(&schedule.farewell).await;
        self.peace().await?;
        oracle::living(&self.world).await?;
        oracle::whole(&self.world)
    }

    async fn acts(&mut self, acts: &[Timed]) {
        let mut began = Instant::now();
        for Timed { at, when, act } in acts {
            self.go_on(began + *at).await;
            if let Some(moment) = when {
                began += self.wait_for(moment).await;
            }
            self.backups.push(self.world.kubernetes.state());
            self.world.history.log(format_args!("** {act}"));
            self.act(act);
        }
    }

    /// Waits until the moment has come, or for as long as people have the patience; and gives how long that was.
    async fn wait_for(&mut self, moment: &Moment) -> Duration {
        let since = Instant::now();
        while !moment.has_come(&self.world) && since.elapsed() < PATIENCE {
            self.go_on(Instant::now() + GLANCE).await;
        }
        since.elapsed()
    }

    fn start(&mut self) {
        self.seed += 1;
        self.world.history.log("** a process begins");
        self.world.history.happened(Event::Begun);
        self.processes.push(Process::start(&self.world, self.seed));
    }

    fn act(&mut self, act: &Act) {
        let (kubernetes, now) = (self.world.kubernetes.clone(), Instant::now());
        let refused = |result: Result<(), crate::cluster::Refused>| {
            if let Err(refused) = result {
                self.world.history.log(format_args!("** refused: {}", refused.0));
            }
        };
        match act {
            Act::Apply { object, spec, webhook } => refused(kubernetes.apply(object, spec, *webhook)),
            Act::Delete { object, webhook } => refused(kubernetes.delete(object, *webhook)),
            Act::Annotate { object, annotation } => kubernetes.annotate(object, annotation, Some("true")),
            Act::Release { object } => kubernetes.finalizers(object, &[]),
            Act::Secret { of, deed } => kubernetes.change_secret(of, |secret| match deed {
                Deed::Delete => None,
                Deed::Unmark => Some(unlabelled(secret)),
                Deed::Spoil => Some(put(secret, "password", None)),
            }),
            Act::Service { of, deed } => kubernetes.change_service(of, |mut service| match deed {
                Deed::Delete => None,
                Deed::Unmark => {
                    service.labels_mut().clear();
                    Some(service)
                }
                Deed::Spoil => {
                    let spec = service.spec.get_or_insert_default();
                    spec.external_name = Some("elsewhere.example".into());
                    Some(service)
                }
            }),
            Act::Plant { of, what } => kubernetes.plant(of, *what),
            Act::Kill { rest } => {
                self.processes.clear();
                self.due.clear();
                self.due.push((now + *rest, Due::Start));
            }
            Act::Die { death, rest } => {
                self.rest = *rest;
                if let Some(process) = self.processes.first() {
                    process.gate.order(*death);
                }
            }
            Act::Freeze { lasting } => {
                // One that stands still already is followed by another one.
                if let Some(process) = self.processes.first_mut().filter(|process| !process.gate.is_frozen()) {
                    process.gate.freeze(true);
                    process.leads = false;
                    self.due.push((now + *lasting / 2, Due::Start));
                    self.due.push((now + *lasting, Due::Thaw));
                }
            }
            Act::Rival { lasting } => {
                self.start();
                self.due.push((now + *lasting, Due::EndOfRival));
            }
            Act::SetClock { seconds } => {
                let step = SignedDuration::from_secs(*seconds);
                self.processes.iter().for_each(|process| process.clock.set(step));
                self.world.history.happened(Event::ClockSet { seconds: *seconds });
            }
            Act::HoldWatch { kind, lasting } => {
                self.processes.iter().for_each(|process| process.watching.hold(*kind, now + *lasting));
            }
            Act::BreakWatch { kind } => self.processes.iter().for_each(|process| process.watching.break_off(*kind)),
            Act::RepeatWatch { kind, changes } => {
                self.processes.iter().for_each(|process| process.watching.repeat(*kind, *changes));
            }
            Act::Spoil(spell) => self.world.weather.order(*spell),
            Act::Class { name, spec, default } => kubernetes.class(name, spec.as_ref(), *default),
            Act::Console { object, deed } => console::play(&self.world, object, *deed),
            Act::Statement { object, statement } => console::say(&self.world, object, statement),
            Act::Allow { object, annotation } => {
                let lost =
                    || kubernetes.database(object)?["status"]["instance"]["resourceId"].as_str().map(str::to_owned);
                let there = || console::instance(&self.world, object)?.resource_id;
                let resource = if *annotation == ACCEPT_ANNOTATION { there() } else { lost() };
                if let Some(resource) = resource {
                    kubernetes.annotate(object, annotation, Some(&resource));
                }
            }
            Act::Terminate { namespace } => kubernetes.terminate(namespace),
            Act::RestoreEtcd { acts } => {
                if let Some(state) = self.backups.iter().rev().nth(*acts) {
                    kubernetes.restore(state.clone());
                }
            }
        }
    }

    /// From now on nothing goes wrong any more; waits until all is at rest.
    ///
    /// # Errors
    /// When it never is.
    pub(crate) async fn peace(&mut self) -> Result<(), Violation> {
        self.world.weather.clear();
        console::mend(&self.world);
        for process in &self.processes {
            process.watching.release();
        }
        self.world.history.log("** peace");
        let (began, mut restless) = (Instant::now(), 0);
        loop {
            let before = self.world.effects.load(Ordering::Relaxed);
            self.go_on(Instant::now() + WINDOW).await;
            let effects = self.world.effects.load(Ordering::Relaxed) - before;
            // What is refused is tried again now and then.
            let quiet = effects == 0 || (effects < RETRIES && !oracle::all_ready(&self.world));
            // What the cloud did a moment ago is yet to be seen.
            let quiet = quiet && !oracle::unseen(&self.world);
            let waiting = oracle::waits(&self.world);
            match (quiet, waiting) {
                (true, None) => return Ok(()),
                (false, None) if oracle::all_ready(&self.world) => {
                    restless += 1;
                    if restless > SETTLING {
                        return Err(oracle::restless(&self.world));
                    }
                }
                (_, waiting) if began.elapsed() > LONGEST => {
                    return Err(waiting.unwrap_or_else(|| oracle::restless(&self.world)));
                }
                _ => {}
            }
        }
    }

    /// Lets time pass until then.
    async fn go_on(&mut self, until: Instant) {
        loop {
            let at = self.due.iter().map(|(at, _)| *at).min().filter(|at| *at <= until).unwrap_or(until);
            if !self.run(at).await {
                continue;
            }
            let (due, later): (Vec<_>, _) = self.due.drain(..).partition(|(due, _)| *due <= at);
            self.due = later;
            if due.is_empty() && at == until {
                return;
            }
            for (_, due) in due {
                self.turn(due);
            }
        }
    }

    fn turn(&mut self, due: Due) {
        match due {
            // Where another one leads already it stands by.
            Due::Start => {
                if self.processes.iter().all(|process| process.gate.is_frozen()) {
                    self.start();
                }
            }
            // The one that wakes finds that another one leads, and ends when it has noticed.
            Due::Thaw => {
                if let Some(process) = self.processes.iter().find(|process| process.gate.is_frozen()) {
                    process.gate.freeze(false);
                }
                self.due.push((Instant::now() + Duration::from_secs(5), Due::EndOfRival));
            }
            Due::EndOfRival => {
                if self.processes.len() > 1 {
                    self.processes.remove(0);
                }
            }
        }
    }

    /// Polls all processes that go on, until then; false where one died before, which another one is to follow.
    async fn run(&mut self, until: Instant) -> bool {
        let mut end = pin!(sleep_until(until));
        poll_fn(|cx| {
            loop {
                let effects = self.world.effects.load(Ordering::Relaxed);
                for process in self.processes.iter_mut().filter(|process| !process.gate.is_frozen()) {
                    process.poll(cx);
                }
                let dead = self.processes.iter().filter(|process| process.gate.is_dead()).count();
                if dead > 0 {
                    self.world.history.log("** a process dies");
                    self.processes.retain(|process| !process.gate.is_dead());
                    self.due.push((Instant::now() + self.rest, Due::Start));
                    return Poll::Ready(false);
                }
                // What one has done the others may see.
                if self.world.effects.load(Ordering::Relaxed) == effects || self.processes.len() < 2 {
                    return end.as_mut().poll(cx).map(|()| true);
                }
            }
        })
        .await
    }
}
