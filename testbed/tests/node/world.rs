//! The one node that the trials share, started when the first of them asks for it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use libtest_mimic::{Failed, Trial};
use testbed::{
    controlplane::Binaries,
    eventually::eventually,
    node::{self, Node},
    stack::Programs,
};
use tokio::{
    runtime::Runtime,
    sync::{Mutex, OnceCell},
    time::timeout,
};

use crate::operator;

/// How much faster than AWS the local RDS is.
const TIME_SCALE: f64 = 0.01;

/// The longest a trial may take.
const LIMIT: Duration = Duration::from_mins(15);

/// The runtime, the folder of this run, and the node.
pub(crate) struct World {
    runtime: Runtime,
    dir: PathBuf,
    node: OnceCell<Node>,
    /// What is installed on it.
    installed: Mutex<Option<String>>,
}

impl World {
    pub(crate) fn new() -> Result<Self> {
        // One node at a time: what a killed one left is removed by the next.
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node");
        Ok(Self { runtime: Runtime::new()?, dir, node: OnceCell::new(), installed: Mutex::new(None) })
    }

    /// The node, with nothing on it but what the trials before have left.
    pub(crate) async fn node(&self) -> Result<&Node> {
        self.node
            .get_or_try_init(async || {
                // What a node that was killed has left may still be written to for a moment.
                eventually(&format!("{} to be removed", self.dir.display()), async || match self.dir.exists() {
                    true => Ok(fs::remove_dir_all(&self.dir)?),
                    false => Ok(()),
                })
                .await?;
                fs::create_dir_all(&self.dir)?;
                let programs = Programs::beside_this_one()?;
                let binaries: Binaries = node::ensure_programs().await?;
                let kubeconfig = self.dir.join("kubeconfig");
                let node = Node::start(&binaries, &programs, &self.dir, kubeconfig, TIME_SCALE, &|text| {
                    let _ = writeln!(std::io::stderr(), "node: {text}");
                });
                node.await.with_context(|| format!("the node (logs are in {})", self.dir.join("logs").display()))
            })
            .await
    }

    /// The node with the operator that a kustomization of the workspace installs; another one is removed before.
    pub(crate) async fn operator(&self, kustomization: &str) -> Result<&Node> {
        if self.installed.lock().await.as_deref() == Some(kustomization) {
            return self.node().await;
        }
        let node = self.without_operator().await?;
        node.install(kustomization).await?;
        self.has(kustomization).await;
        Ok(node)
    }

    /// The node without any operator, for a trial that installs one in a way of its own.
    pub(crate) async fn without_operator(&self) -> Result<&Node> {
        let node = self.node().await?;
        // Until somebody says what it is, it is what has to be removed.
        if self.installed.lock().await.replace("something".to_owned()).is_some() {
            operator::remove(node).await?;
        }
        Ok(node)
    }

    /// Says that the operator on the node is now as this kustomization installs it.
    pub(crate) async fn has(&self, kustomization: &str) {
        *self.installed.lock().await = Some(kustomization.to_owned());
    }

    /// A fresh folder in that of this run, for what a trial starts.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = std::path::absolute(self.dir.join(name))?;
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Ends the node. The folder with the logs stays after a failure.
    pub(crate) fn stop(self: Arc<Self>, failed: bool) -> Result<()> {
        let Some(world) = Arc::into_inner(self) else { bail!("a trial still holds the world") };
        if let Some(node) = world.node.into_inner() {
            world.runtime.block_on(node.stop())?;
        }
        if failed {
            return Ok(writeln!(std::io::stderr(), "the logs are in {}", world.dir.join("logs").display())?);
        }
        Ok(())
    }
}

/// Makes a trial of an async function on the world, for those who ask for it by `--include-ignored`.
pub(crate) fn trial<F>(world: &Arc<World>, name: &str, test: F) -> Trial
where
    F: AsyncFnOnce(&World) -> Result<()> + Send + 'static,
{
    let world = Arc::clone(world);
    Trial::test(format!("node::{name}"), move || {
        let limited = async { timeout(LIMIT, test(&world)).await.unwrap_or_else(|_| Err(anyhow!("takes too long"))) };
        world.runtime.block_on(limited).map_err(|error| Failed::from(format!("{error:?}")))
    })
    .with_ignored_flag(true)
}
