//! gitops-engine's own agent: it synchronizes by itself, again and again, and prunes what carries its mark. On the client's side only: it gives
//! the engine no field manager, without which the API server refuses every apply on its own side. `sync` gives Argo CD's.

use std::{collections::BTreeMap, fs::File, path::PathBuf};

use anyhow::{Context, Result, ensure};
use testbed::{eventually::eventually, go_programs, kubectl::Kubectl};
use tokio::{
    fs,
    process::{Child, Command},
};

use super::{NAMES, WAYS, i10_children_are_nobody_elses, repository::Repository, tools::Health};
use crate::{cloud, scene::Scene, world::World};

pub(super) async fn synchronizes_and_prunes(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "agent").await?;
    let namespace = scene.namespace.as_str();
    let repository = Repository::with_examples(namespace).await?;
    repository.write("ways.yaml", &WAYS.replace("NAMESPACE", namespace)).await?;
    let agent = Agent::start(scene.kubectl(), namespace, &repository).await?;
    agent.synchronization().await?;
    let mut before = BTreeMap::new();
    for name in NAMES {
        before.insert(name, scene.ready(name).await?.at("/metadata/generation").clone());
    }
    let results = agent.synchronization().await?;
    for name in NAMES {
        let result = results
            .iter()
            .find(|line| line.contains(&format!("/{name} ")))
            .with_context(|| format!("{name}: {results:?}"))?;
        ensure!(result.ends_with(&format!("{name} unchanged")), "{result}");
        ensure!(*scene.database(name).await?.at("/metadata/generation") == before[name], "{name} was changed");
    }
    healthy(&scene).await?;
    i10_children_are_nobody_elses(&scene, &["gitops-agent.argoproj.io"]).await?;

    // What leaves the repository goes, with a last snapshot.
    let identifier = scene.database("minimal").await?.text("/status/instance/identifier").to_owned();
    repository.remove("minimal.yaml").await?;
    eventually("the agent to prune", async || {
        let deleted =
            match testbed::resource::Database::read(stack.controlplane().client(), namespace, "minimal").await? {
                None => true,
                Some(database) => !database.at("/metadata/deletionTimestamp").is_null(),
            };
        ensure!(deleted, "minimal is still wanted");
        Ok(())
    })
    .await?;
    scene.gone("minimal").await?;
    cloud::final_snapshot(stack.rds(), &identifier).await?;
    scene.ready("orders").await.map(drop)
}

/// Waits until every database is what kstatus calls Current and Argo CD calls Healthy.
async fn healthy(scene: &Scene<'_>) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("live.yaml");
    let health = Health::find().await?;
    eventually("all to be Current and Healthy", async || {
        fs::write(&file, scene.ok(&["get", "rdsdatabases", "-o", "yaml"]).await?).await?;
        let seen = health.judge(&file.display().to_string()).await?;
        ensure!(seen.len() == NAMES.len(), "{seen:?}");
        for one in seen {
            ensure!(one["kstatus"] == "Current" && one["health"]["status"] == "Healthy", "{one}");
        }
        Ok(())
    })
    .await
}

struct Agent {
    _process: Child,
    output: PathBuf,
    log: PathBuf,
}

impl Agent {
    /// Starts it in a network of its own, because it listens on every address of the one it is in.
    async fn start(kubectl: &Kubectl, namespace: &str, repository: &Repository) -> Result<Self> {
        let programs = go_programs::build("gitops").await?;
        // They are no manifests, and go with the repository.
        let [output, log] = ["output", "log"].map(|name| repository.path().join(".git").join(name));
        let mut command = Command::new(programs.join("confine"));
        command.arg(kubectl.kubeconfig()).arg(programs.join("agent")).arg(repository.path());
        command.arg("--kubeconfig").arg(kubectl.kubeconfig()).args(["--default-namespace", namespace]);
        command.args(["--resync-seconds", "1"]).kill_on_drop(true);
        command.stdout(File::create(&output)?).stderr(File::create(&log)?);
        Ok(Self { _process: command.spawn().context("starting the agent")?, output, log })
    }

    /// What it printed of a synchronization that began after this call: a line for each object.
    async fn synchronization(&self) -> Result<Vec<String>> {
        let before = self.tables().await?.len();
        let synchronized = eventually("the agent to synchronize", async || {
            let mut tables = self.tables().await?;
            // The last one may not be complete, and the first new one may have begun before.
            ensure!(tables.len() > before + 2, "it has printed {tables:?}");
            Ok(tables.swap_remove(before + 1))
        });
        match synchronized.await {
            Ok(results) => Ok(results),
            Err(error) => {
                let log = fs::read_to_string(&self.log).await?;
                Err(error.context(log.lines().rev().take(5).collect::<Vec<_>>().join("\n")))
            }
        }
    }

    async fn tables(&self) -> Result<Vec<Vec<String>>> {
        let mut tables: Vec<Vec<String>> = Vec::new();
        for line in fs::read_to_string(&self.output).await?.lines() {
            match tables.last_mut() {
                Some(table) if !line.starts_with("RESOURCE ") => table.push(line.to_owned()),
                _ => tables.push(Vec::new()),
            }
        }
        Ok(tables)
    }
}
