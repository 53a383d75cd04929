//! Some minutes of chaos, drawn from a seed: processes die, stand still and come back, the cloud answers badly, people meddle at the console,
//! objects come, change and go, and applications write all the time. Then everything has peace, and an oracle looks at what is left.
//!
//! The short form runs with the other tests; `./chaos.sh` runs the long one.

mod census;
mod clients;
mod console;
mod evidence;
mod gitops;
mod oracle;
mod processes;
mod schedule;
mod wanted;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use libtest_mimic::Trial;
use serde_json::json;
use tokio::time::{sleep, sleep_until};

use self::{
    census::Census,
    clients::Client,
    console::Console,
    gitops::Objects,
    oracle::Found,
    processes::Replicas,
    schedule::{Act, Fault, Schedule, name},
};
use crate::{
    scene::Scene,
    world::{World, long_trial, trial},
};

/// How much there is of it.
#[derive(Clone, Copy, Debug)]
struct Form {
    seed: u64,
    length: Duration,
    objects: usize,
    /// The shortest and the longest pause between two acts, in milliseconds.
    pause: (u64, u64),
    /// Whether each act is told as it happens.
    told: bool,
}

/// What runs with the other tests.
const SHORT: Form = Form { seed: 9, length: Duration::from_mins(1), objects: 3, pause: (800, 2600), told: false };

/// What a person runs: more objects, which have a little more time between two blows.
const LONG: Form = Form { seed: 9, length: Duration::from_mins(10), objects: 5, pause: (1500, 4000), told: true };

/// How long somebody goes on trying where a thing cannot be done at the moment: an instance that is being made cannot be stopped.
const INSISTS: Duration = Duration::from_secs(8);

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    let form = Form::of_the_environment();
    let length = form.as_ref().map_or(Duration::ZERO, |form| form.length);
    vec![
        long_trial(
            world,
            "chaos::i11_after_chaos_everything_is_as_declared_and_no_row_is_lost",
            length,
            async |world| chaos(world, form?).await,
        ),
        trial(world, "chaos::a_schedule_is_a_function_of_its_seed", async |_| schedule::is_a_function_of_its_seed()),
        trial(world, "chaos::the_oracle_finds_what_is_wrong", async |_| oracle::finds_what_is_wrong()),
    ]
}

impl Form {
    /// The long form where `CHAOS_MINUTES` is set; `CHAOS_SEED` is for both.
    fn of_the_environment() -> Result<Self> {
        let number = |name: &str| match std::env::var(name) {
            Ok(text) => text.parse::<u64>().map(Some).with_context(|| format!("{name}={text}")),
            Err(_) => Ok(None),
        };
        let (minutes, seed) = (number("CHAOS_MINUTES")?, number("CHAOS_SEED")?);
        let form = minutes.map_or(SHORT, |minutes| Self { length: Duration::from_secs(minutes * 60), ..LONG });
        Ok(Self { seed: seed.unwrap_or(form.seed), ..form })
    }
}

async fn chaos(world: &World, form: Form) -> Result<()> {
    let schedule = Schedule::new(&form);
    let stack = world.own_stack("chaos").await?;
    let scene = Scene::new(&stack, "chaos").await?;
    let replicas = Replicas::start(&stack).await?;
    let (objects, census, console) =
        (Objects::new(&scene, form.objects), Census::new(stack.rds()), Console::new(stack.rds()));
    let mut clients: Vec<Client> = (0..form.objects).map(Client::new).collect();
    let stage = Stage {
        scene: &scene,
        replicas: &replicas,
        objects: &objects,
        census: &census,
        console: &console,
        told: form.told,
        log: File::create(stack.logs().join("chaos.log"))?,
        began: Instant::now(),
        tally: RefCell::default(),
    };
    stage.tell(&format!("seed {}, {} acts in {} s", form.seed, schedule.acts.len(), form.length.as_secs()));
    tokio::select! {
        played = stage.play(schedule) => played?,
        _ = join_all((0..form.objects).map(|object| objects.pursue(object))) => bail!("nobody keeps the objects"),
        _ = join_all(clients.iter_mut().map(|client| client.write(&scene))) => bail!("nobody writes"),
        _ = replicas.keep() => bail!("nobody keeps the reconcilers"),
        _ = census.keep() => bail!("nobody counts"),
    }
    stage.tell("at rest; every database is entered, every final snapshot restored");
    let found = evidence::gather(&scene, &objects, &census, clients).await?;
    stage.report(form, &found)?;
    let (acknowledged, _) = found.rows_counted();
    ensure!(acknowledged > 100, "only {acknowledged} rows were acknowledged: this shows nothing");
    let faults = found.faults();
    ensure!(faults.is_empty(), "CHAOS_SEED={}: {faults:#?}", form.seed);
    Ok(())
}

/// Tries until it can be done. No try is given up half-way: nobody would know what has to be undone.
async fn insist<T>(mut act: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let until = Instant::now() + INSISTS;
    loop {
        match act().await {
            Err(_) if Instant::now() < until => sleep(Duration::from_millis(300)).await,
            outcome => return outcome,
        }
    }
}

/// Everybody who takes part.
struct Stage<'a> {
    scene: &'a Scene<'a>,
    replicas: &'a Replicas<'a>,
    objects: &'a Objects<'a>,
    census: &'a Census<'a>,
    console: &'a Console<'a>,
    told: bool,
    log: File,
    began: Instant,
    /// How many acts of each kind were done, and how many could not be.
    tally: RefCell<BTreeMap<&'static str, (u32, u32)>>,
}

impl Stage<'_> {
    /// Plays all acts, each at its time, and waits until the last one is undone and everything is as wanted.
    async fn play(&self, schedule: Schedule) -> Result<()> {
        let mut acts: FuturesUnordered<_> = schedule
            .acts
            .into_iter()
            .map(async |(at, act)| {
                sleep_until((self.began + at).into()).await;
                self.tell(&act.to_string());
                let outcome = self.act(&act).await;
                let mut tally = self.tally.borrow_mut();
                let (done, not_done) = tally.entry(act.kind()).or_default();
                match outcome {
                    Ok(()) => *done += 1,
                    Err(error) => {
                        *not_done += 1;
                        self.tell(&format!("could not {act}: {error:#}"));
                    }
                }
            })
            .collect();
        while acts.next().await.is_some() {}
        self.tell("chaos is over");
        self.objects.settled(self.census).await?;
        // The applications write into what is there now.
        sleep(Duration::from_secs(2)).await;
        Ok(())
    }

    async fn act(&self, act: &Act) -> Result<()> {
        let stack = self.scene.stack;
        match act.clone() {
            Act::Want { object, wanted } => {
                self.objects.want(object, wanted);
                Ok(())
            }
            Act::KillReplica { leading } => self.replicas.kill(leading).await,
            Act::FreezeReplica { leading, lasting } => self.replicas.freeze(leading, lasting).await,
            Act::KillPart { part, lasting } => processes::take_away(stack, part, lasting).await,
            Act::KillServer { object } => {
                insist(async || processes::kill_server(stack, &self.resource(object).await?)).await
            }
            Act::FreezeServer { object, lasting } => {
                let frozen = insist(async || processes::freeze_server(stack, &self.resource(object).await?)).await?;
                sleep(lasting).await;
                drop(frozen);
                Ok(())
            }
            Act::FailCalls { action, fault, times } => {
                let (code, status, carried_out) = match fault {
                    Fault::Throttled => ("Throttling", 400, false),
                    Fault::Refused => ("InternalFailure", 500, false),
                    Fault::AnswerLost => ("ServiceUnavailable", 503, true),
                };
                let order = json!({
                    "action": action, "code": code, "status": status, "times": times, "carried_out": carried_out,
                });
                stack.rds().order(&order).await
            }
            Act::Console { object, deed } => {
                let done = insist(async || self.console.act(self.census.instance(&name(object)).await?, deed).await);
                self.console.undo(done.await?).await
            }
        }
    }

    /// The resource id of an object's instance that has its server. One whose making is disturbed is `failed` for good, and waits for people.
    async fn resource(&self, object: usize) -> Result<String> {
        let instance = self.census.instance(&name(object)).await?;
        ensure!(instance.db_instance_status() != Some("creating"), "it is being made");
        Ok(instance.dbi_resource_id().context("an instance without a resource id")?.to_owned())
    }

    /// To the person who watches the long form, and to whoever reads the logs after a failure.
    fn tell(&self, what: &str) {
        let line = format!("{:7.1} s  {what}", self.began.elapsed().as_secs_f64());
        // A reader who has gone misses nothing.
        let _ = writeln!(&self.log, "{line}");
        if self.told {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    fn report(&self, form: Form, found: &Found) -> Result<()> {
        let mut err = std::io::stderr().lock();
        writeln!(err, "chaos: seed {}, {} s, {} objects", form.seed, form.length.as_secs(), form.objects)?;
        for (kind, (done, not_done)) in self.tally.borrow().iter() {
            writeln!(
                err,
                "  {done:5} {kind}{}",
                if *not_done > 0 { format!(" ({not_done} could not)") } else { String::new() }
            )?;
        }
        let (acknowledged, present) = found.rows_counted();
        writeln!(
            err,
            "  {:5} instances, {} of them gone with a final snapshot that was restored",
            found.seen.born.len(),
            found.final_snapshots.len()
        )?;
        writeln!(err, "  {acknowledged:5} rows acknowledged; {present} are there")?;
        writeln!(err, "  {:5} faults, {} s in all", found.faults().len(), self.began.elapsed().as_secs())?;
        Ok(())
    }
}
