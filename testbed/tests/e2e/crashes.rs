//! A reconciler that is killed with SIGKILL after every effect it has, over and over, ends where an undisturbed one ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use libtest_mimic::Trial;
use sqlx::{Connection as _, Executor as _};
use testbed::{
    controlplane::Mark,
    resource::Database,
    stack::{Part, Stack},
};

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

/// Lives in which one effect is allowed each; after them the reconciler may finish in peace.
const LIVES: usize = 24;

/// The longest wait for an effect: an instance takes a while between being asked for and being available.
const PATIENCE: Duration = Duration::from_mins(2);

/// Between two looks: short against what the reconciler does between two effects.
const GLANCE: Duration = Duration::from_millis(5);

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "crashes::i11_killed_after_every_effect_it_ends_in_the_same_place", killed_after_every_effect)]
}

async fn killed_after_every_effect(world: &World) -> Result<()> {
    let stack = world.own_stack("crashes").await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "crashes").await?;
    let mut lives = Lives::new(&stack).await?;

    stack.kill(Part::Reconciler).await?;
    scene.apply("phoenix", "{users: {app: [], report: [createdb]}, databases: {ash: [app, report]}}").await?;
    let mut passwords = BTreeMap::new();
    for life in 0..LIVES {
        let end = lives.live(async || Ok(scene.database("phoenix").await?.expect("Ready", "True").is_ok())).await?;
        // A password that was once in its Secret is the one for good.
        for (user, password) in known_passwords(&scene, "phoenix").await? {
            let first = passwords.entry(user.clone()).or_insert_with(|| password.clone());
            ensure!(*first == password, "life {life}: the password of {user} changed");
        }
        if matches!(end, End::Settled) {
            break;
        }
    }
    lives.must_have_ended_after(&["rdsdatabases", "rdsdatabases/status", "secrets", "RDS", "services", "SQL"])?;
    lives.restart().await?;
    let database = scene.ready("phoenix").await?;
    let identifier = database.text("/status/instance/identifier").to_owned();
    one_instance(&scene, &identifier).await?;
    ensure!(passwords.len() == 3, "passwords of {:?}", passwords.keys());
    for (user, password) in &passwords {
        ensure!(scene.login("phoenix", user).await?.password() == password, "the password of {user} changed");
        scene.connect("phoenix", user).await?.close().await?;
    }
    let mut session = scene.connect("phoenix", "report").await?;
    session.execute("CREATE TABLE feather (colour text); INSERT INTO feather VALUES ('red')").await?;
    session.close().await?;

    // The same on the way out.
    stack.kill(Part::Reconciler).await?;
    scene.ok(&["delete", "rds", "phoenix", "--wait=false"]).await?;
    lives.ended_after.clear();
    for _ in 0..LIVES {
        let gone = async || Ok(Database::read(stack.controlplane().client(), "crashes", "phoenix").await?.is_none());
        if matches!(lives.live(gone).await?, End::Settled) {
            break;
        }
    }
    lives.must_have_ended_after(&["services", "RDS", "rdsdatabases/status"])?;
    lives.restart().await?;
    scene.gone("phoenix").await?;
    cloud::final_snapshot(rds, &identifier).await?;
    ensure!(cloud::instance(rds, &identifier).await?.is_none(), "the instance is still there");
    ensure!(scene.names("services").await?.is_empty(), "Services stayed: {:?}", scene.names("services").await?);
    for (user, password) in known_passwords(&scene, "phoenix").await? {
        ensure!(passwords.get(&user) == Some(&password), "the password of {user} changed on the way out");
    }
    Ok(())
}

/// One instance of this object, and no other one in the account.
async fn one_instance(scene: &Scene<'_>, identifier: &str) -> Result<()> {
    let owned = cloud::instances_of(scene.stack.rds(), &scene.namespace, "phoenix").await?;
    let [instance] = owned.as_slice() else { bail!("wanted one instance, found {owned:?}") };
    ensure!(instance.db_instance_identifier() == Some(identifier), "{instance:?}");
    let all = scene.stack.rds().client().describe_db_instances().send().await?;
    ensure!(all.db_instances().len() == 1, "another instance is left over: {:?}", all.db_instances());
    Ok(())
}

/// What the Secrets hold, also before there is an endpoint to log in at.
async fn known_passwords(scene: &Scene<'_>, name: &str) -> Result<BTreeMap<String, String>> {
    let template = "go-template={{range .items}}{{.metadata.name}} {{.data.password | base64decode}}{{\"\\n\"}}{{end}}";
    let listed = scene.ok(&["get", "secrets", "-o", template]).await?;
    let prefix = format!("{name}.rds.");
    let pairs = listed.lines().filter_map(|line| line.strip_prefix(&prefix)?.split_once(' '));
    Ok(pairs.map(|(user, password)| (user.to_owned(), password.to_owned())).collect())
}

/// How a life of the reconciler ended.
enum End {
    /// It had an effect and was killed.
    Killed,
    /// What was waited for is so; it runs on.
    Settled,
}

/// One reconciler after another.
struct Lives<'a> {
    stack: &'a Stack,
    audit: Mark,
    mutating: u64,
    sql_writes: u64,
    /// What had just been written when one was killed: resources of Kubernetes, `RDS`, or `SQL`.
    ended_after: BTreeSet<String>,
}

impl<'a> Lives<'a> {
    async fn new(stack: &'a Stack) -> Result<Self> {
        let mut lives =
            Self { stack, audit: Mark::default(), mutating: 0, sql_writes: 0, ended_after: BTreeSet::new() };
        lives.effects().await?;
        Ok(lives)
    }

    /// Starts a reconciler and kills it as soon as it has had an effect, unless `settled` is so first.
    async fn live(&mut self, settled: impl AsyncFn() -> Result<bool>) -> Result<End> {
        self.restart().await?;
        let born = Instant::now();
        while born.elapsed() < PATIENCE {
            let effects = self.effects().await?;
            if !effects.is_empty() {
                self.stack.kill(Part::Reconciler).await?;
                // What it did until the signal came is no effect of the next life.
                let last = self.effects().await?;
                self.ended_after.extend(effects.into_iter().chain(last));
                return Ok(End::Killed);
            }
            if settled().await? {
                return Ok(End::Settled);
            }
            tokio::time::sleep(GLANCE).await;
        }
        bail!("no effect within {} s", PATIENCE.as_secs())
    }

    /// Starts a reconciler that need not wait for the Lease of the one before: that one is known to be dead.
    async fn restart(&self) -> Result<()> {
        let release = ["delete", "lease", "-n", "rds-system", "rds-reconciler", "--ignore-not-found"];
        self.stack.kill(Part::Reconciler).await?;
        self.stack.controlplane().kubectl().ok(&release).await?;
        self.stack.restart(Part::Reconciler).await
    }

    /// What the reconciler has written since the last look: to Kubernetes, to RDS, in SQL.
    async fn effects(&mut self) -> Result<BTreeSet<String>> {
        let (writes, mark) = self.stack.controlplane().writes_since(self.audit)?;
        let counters = self.stack.rds().counters().await?;
        let sql_writes = counters.sql_writes.values().sum();
        let ours = writes.into_iter().filter(|write| write.user.ends_with(":rds-reconciler"));
        let mut effects: BTreeSet<String> = ours
            .map(|write| write.resource)
            .filter(|resource| !["leases", "events"].contains(&resource.as_str()))
            .collect();
        effects.extend((counters.mutating > self.mutating).then(|| "RDS".to_owned()));
        effects.extend((sql_writes > self.sql_writes).then(|| "SQL".to_owned()));
        (self.audit, self.mutating, self.sql_writes) = (mark, counters.mutating, sql_writes);
        Ok(effects)
    }

    /// Fails unless at least one life ended right after each of these: else the kills came too early or too late to prove anything.
    fn must_have_ended_after(&self, effects: &[&str]) -> Result<()> {
        let missed: Vec<_> = effects.iter().filter(|effect| !self.ended_after.contains(**effect)).collect();
        ensure!(missed.is_empty(), "no life ended after {missed:?}, only after {:?}", self.ended_after);
        Ok(())
    }
}
