//! What the tests share, started when the first of them asks for it.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;
use testbed::controlplane::{Binaries, ControlPlane, Options};
use tokio::{runtime::Runtime, sync::OnceCell};

/// The runtime, the folder of this run, and the parts that run in it.
pub(crate) struct World {
    runtime: Runtime,
    dir: TempDir,
    binaries: OnceCell<Binaries>,
    controlplane: OnceCell<ControlPlane>,
}

impl World {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            runtime: Runtime::new()?,
            dir: tempfile::Builder::new()
                .prefix("rds-operator-e2e.")
                .tempdir()?,
            binaries: OnceCell::new(),
            controlplane: OnceCell::new(),
        })
    }

    /// The programs of the control plane, built once.
    pub(crate) async fn binaries(&self) -> Result<&Binaries> {
        self.binaries.get_or_try_init(Binaries::ensure).await
    }

    /// A control plane with nothing of ours in it.
    pub(crate) async fn controlplane(&self) -> Result<&ControlPlane> {
        self.controlplane
            .get_or_try_init(async || {
                let dir = self.dir.path().join("controlplane");
                let options = Options {
                    kubeconfig: dir.join("admin.kubeconfig"),
                    audit: true,
                };
                ControlPlane::start(self.binaries().await?, &dir, options).await
            })
            .await
    }

    /// Ends all that was started.
    pub(crate) fn stop(self: Arc<Self>) -> Result<()> {
        // The trials have run and hold the world no more.
        let Some(world) = Arc::into_inner(self) else {
            anyhow::bail!("a test still holds the world")
        };
        world.runtime.block_on(async {
            if let Some(controlplane) = world.controlplane.into_inner() {
                controlplane.stop().await?;
            }
            Ok(())
        })
    }
}

/// Makes a trial of an async function on the world. All names begin with `e2e::`, so that `-- --skip e2e::` runs everything else.
pub(crate) fn trial<F>(world: &Arc<World>, name: &str, test: F) -> Trial
where
    F: AsyncFnOnce(&World) -> Result<()> + Send + 'static,
{
    let world = Arc::clone(world);
    Trial::test(format!("e2e::{name}"), move || {
        world
            .runtime
            .block_on(test(&world))
            .map_err(|error| Failed::from(format!("{error:#}")))
    })
}
