//! Hostile databases: some say nothing, some keep whoever visits them busy, some are full of rubbish. Nobody else waits for them.

use std::{
    fs,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use libtest_mimic::Trial;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use testbed::{
    eventually::eventually,
    stack::{Part, Stack},
};

use crate::{
    cloud,
    scene::Scene,
    world::{World, quiet_trial},
};

/// What its objects are called, and how many there are in each of the [`NAMESPACES`].
type Kind = (&'static str, usize);

/// They take connections and say nothing.
const SILENT: Kind = ("silent", 8);
/// They are full of changes to be made, none of which can be made.
const BUSY: Kind = ("busy", 6);
/// Their catalogs are full of things that nobody needs.
const RUBBISH: Kind = ("rubbish", 2);
/// Each has half of the turns at most: together they could take them all.
const NAMESPACES: [&str; 2] = ["hostile-a", "hostile-b"];

const USERS: &str = "app: [], chief: [createrole, createdb]";
/// How much longer than twice its usual time the neighbour may take: as long as a look may hold a turn. Without turns it took half a minute.
const MARGIN: Duration = Duration::from_secs(20);
/// Half of the limit in `manifests/base/reconciler.yaml`.
const HALF_OF_THE_MEMORY: u64 = 128 << 20;

/// Tables of a user's own, which are to be given to the role that owns the database.
const MADE: &str = "SET ROLE NONE; \
     DO $$ BEGIN FOR n IN 1..100 LOOP EXECUTE format('CREATE TABLE mine_%s ()', n); END LOOP; END $$";
/// It holds them all: each costs who wants to change it 200 ms.
const LOCKED: &str = "BEGIN; \
     DO $$ BEGIN FOR n IN 1..100 LOOP EXECUTE format('LOCK TABLE mine_%s IN ACCESS SHARE MODE', n); END LOOP; END $$";
/// What a user who may make roles leaves in the catalogs that are looked at: many of them, in each other, with comments of 60 MB.
const LITTERED: &str = "DO $$ BEGIN \
     FOR n IN 1..3000 LOOP \
       EXECUTE format('CREATE ROLE %I', n || repeat('x', 58)); \
       IF n > 1 THEN EXECUTE format('GRANT %I TO %I', (n / 2) || repeat('x', 58), n || repeat('x', 58)); END IF; \
     END LOOP; \
     FOR n IN 1..3 LOOP EXECUTE format('COMMENT ON ROLE %I IS %L', n || repeat('x', 58), repeat('rubbish ', 7500000)); END LOOP; \
     EXECUTE format('COMMENT ON ROLE app IS %L', repeat('rubbish ', 7500000)); \
     END $$";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![quiet_trial(world, "hostile::i13_hostile_databases_cost_the_others_nothing", nobody_else_waits)]
}

async fn nobody_else_waits(world: &World) -> Result<()> {
    let stack = world.own_stack("hostile").await?;
    let neighbour = Scene::new(&stack, "neighbour").await?;
    let mut hostile = Vec::new();
    for namespace in NAMESPACES {
        hostile.push(Scene::new(&stack, namespace).await?);
    }
    declare(&hostile, USERS).await?;
    for (scene, name) in objects(&hostile) {
        scene.ready(&name).await?;
    }
    let usual = birth(&neighbour, "before").await?;
    let at_rest = most_memory(&stack).await?;

    stack.stop_part(Part::Reconciler).await?;
    let mut silent = Frozen::default();
    for (scene, name) in objects_of(&hostile, SILENT) {
        silent.freeze(postmaster(scene, &name).await?)?;
    }
    let busy = objects_of(&hostile, BUSY).map(async |(scene, name)| -> Result<PgConnection> {
        let mut app = scene.connect_to(&name, "app", "orders").await?;
        for statements in [MADE, LOCKED] {
            app.execute(statements).await.with_context(|| format!("locking the tables of {name}"))?;
        }
        Ok(app)
    });
    let busy = try_join_all(busy).await?;
    try_join_all(objects_of(&hostile, RUBBISH).map(async |(scene, name)| -> Result<()> {
        let mut chief = scene.connect_to(&name, "chief", "postgres").await?;
        chief.execute(LITTERED).await.with_context(|| format!("littering {name}"))?;
        Ok(chief.close().await?)
    }))
    .await?;
    // It visits all of them at once, and knows nothing of any.
    stack.restart(Part::Reconciler).await?;
    let among_hostile = birth(&neighbour, "after").await?;
    let most = most_memory(&stack).await?;
    let measured = format!(
        "usually {:.1} s to Ready, {:.1} s among the hostile; {} MiB at most, {} MiB before",
        usual.as_secs_f64(),
        among_hostile.as_secs_f64(),
        most >> 20,
        at_rest >> 20
    );
    writeln!(std::io::stderr(), "{measured}")?;
    ensure!(among_hostile < usual * 2 + MARGIN, "the neighbour waited: {measured}");

    // They are as hostile as they should be, and each has its turn.
    for (kind, reason) in [(SILENT, "DatabaseTimeout"), (RUBBISH, "NotAsDeclared")] {
        for (scene, name) in objects_of(&hostile, kind) {
            told(scene, &name, reason).await?;
        }
    }
    let most = most_memory(&stack).await?.max(at_rest);
    ensure!(most < HALF_OF_THE_MEMORY, "{} MiB of memory", most >> 20);

    let (scene, name) = objects_of(&hostile, BUSY).next().context("nobody is busy")?;
    left_for_its_deletion(scene, &name).await?;
    drop(busy);
    Ok(())
}

/// All hostile objects.
fn objects<'a, 's>(hostile: &'a [Scene<'s>]) -> impl Iterator<Item = (&'a Scene<'s>, String)> {
    [SILENT, BUSY, RUBBISH].into_iter().flat_map(|kind| objects_of(hostile, kind))
}

/// No two have one name, because they share the namespace of the aliases.
fn objects_of<'a, 's>(hostile: &'a [Scene<'s>], (kind, count): Kind) -> impl Iterator<Item = (&'a Scene<'s>, String)> {
    hostile.iter().flat_map(move |scene| (0..count).map(move |n| (scene, format!("{kind}-{n}-{}", scene.namespace))))
}

/// Applies all hostile objects with these users.
async fn declare(hostile: &[Scene<'_>], users: &str) -> Result<()> {
    let spec = format!("{{users: {{{users}}}, databases: {{orders: [app]}}}}");
    let manifests: Vec<_> = objects(hostile).map(|(scene, name)| scene.manifest(&name, &spec)).collect();
    let [first, ..] = hostile else { return Ok(()) };
    first.kubectl().apply(&manifests.join("---\n")).await?;
    Ok(())
}

/// Applies an object and waits until it is Ready; gives how long that took.
async fn birth(scene: &Scene<'_>, name: &str) -> Result<Duration> {
    let applied = Instant::now();
    scene.apply(name, "{users: {app: []}, databases: {orders: [app]}}").await?;
    scene.ready(name).await?;
    Ok(applied.elapsed())
}

/// The most memory that the reconciler has had since its start, in bytes.
async fn most_memory(stack: &Stack) -> Result<u64> {
    let pid = stack.pid(Part::Reconciler).await.context("the reconciler does not run")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    Ok(peak.context("no VmHWM")?.trim().parse::<u64>()? << 10)
}

/// The process that listens for an object's server.
async fn postmaster(scene: &Scene<'_>, name: &str) -> Result<Pid> {
    let database = scene.database(name).await?;
    let resource_id = database.text("/status/instance/resourceId");
    let path = scene.stack.dir().join("rds/instances").join(resource_id).join("data/postmaster.pid");
    let content = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(Pid::from_raw(content.lines().next().unwrap_or_default().trim().parse()?))
}

/// Waits until the visit to an object has failed for this reason.
async fn told(scene: &Scene<'_>, name: &str, reason: &str) -> Result<()> {
    eventually(&format!("{name} to say {reason}"), async || {
        let found = scene.database(name).await?.expect("DatabasesReady", "False")?;
        ensure!(found.reason == reason, "{found:?}");
        Ok(())
    })
    .await
}

/// A visit that hangs in the middle of a statement, for half a minute by itself, is left when the object is deleted.
async fn left_for_its_deletion(scene: &Scene<'_>, name: &str) -> Result<()> {
    let identifier = scene.database(name).await?.text("/status/instance/identifier").to_owned();
    let mut master = scene.connect_to(name, "master", "postgres").await?;
    scene.apply(name, &format!("{{users: {{{USERS}, late: []}}, databases: {{orders: [app]}}}}")).await?;
    let visit = eventually(&format!("a visit to {name} to wait for a lock"), async || {
        let waits =
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'rds-reconciler' AND wait_event_type = 'Lock'";
        let (pid,): (i32,) = sqlx::query_as(AssertSqlSafe(waits)).fetch_one(&mut master).await?;
        Ok(pid)
    })
    .await?;
    let mut hanging = Frozen::default();
    hanging.freeze(Pid::from_raw(visit))?;
    scene.ok(&["delete", "rds", name, "--wait=false"]).await?;
    eventually(&format!("{name} to be deleted in the middle of a visit"), async || {
        let status = cloud::existing(scene.stack.rds(), &identifier).await?;
        ensure!(status.db_instance_status() == Some("deleting"), "it is {:?}", status.db_instance_status());
        Ok(())
    })
    .await
}

/// Processes that are stopped, and go on when this is dropped: stopped ones could not be ended.
#[derive(Default)]
struct Frozen(Vec<Pid>);

impl Frozen {
    fn freeze(&mut self, process: Pid) -> Result<()> {
        kill(process, Signal::SIGSTOP).with_context(|| format!("stopping {process}"))?;
        self.0.push(process);
        Ok(())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.0 {
            // It may have ended in between.
            let _ = kill(*process, Signal::SIGCONT);
        }
    }
}
