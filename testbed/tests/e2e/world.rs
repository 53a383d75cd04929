//! What the tests share, started when the first of them asks for it.

use std::{
    io::Write as _,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use libtest_mimic::{Failed, Trial};
use testbed::{
    controlplane::{Binaries, ControlPlane, Options as ControlPlaneOptions},
    stack::{CERT_MANAGER, Options, Part, Programs, Stack},
};
use tokio::{
    runtime::Runtime,
    sync::{Mutex, MutexGuard, OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::admission::Admission;

/// How much faster than AWS the local RDS is in the tests.
const TIME_SCALE: f64 = 0.005;

/// In namespaces with this label, the webhook of the unattended stack is not registered.
pub(crate) const UNREGISTERED: &str = "admission=unregistered";

/// The longest a test may take: one that hangs must not hold the others for ever.
const LIMIT: Duration = Duration::from_mins(10);

/// How many tests may have a stack of their own at a time: each takes half a gigabyte and much of a core.
const STACKS_OF_THEIR_OWN: usize = 3;

/// The runtime, the folder of this run, and the parts that run in it.
pub(crate) struct World {
    runtime: Runtime,
    dir: PathBuf,
    binaries: OnceCell<Binaries>,
    controlplane: OnceCell<ControlPlane>,
    programs: OnceCell<Programs>,
    stack: OnceCell<Stack>,
    unattended: OnceCell<Stack>,
    admission: OnceCell<Mutex<Admission>>,
    /// How many more stacks may be started beside the shared one.
    more_stacks: Semaphore,
    /// The machine: a test that needs it for itself waits until the others are over, and they for it.
    machine: RwLock<()>,
    /// Tests that kill a part or count what it does are alone with the stack; all others share it.
    turns: RwLock<()>,
}

/// The stack, for as long as a test may use it.
pub(crate) struct Turn<'a, G> {
    stack: &'a Stack,
    _guard: G,
}

impl<G> Deref for Turn<'_, G> {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.stack
    }
}

/// A stack that one test has for itself, killed when it is dropped.
pub(crate) struct OwnStack<'a> {
    stack: Stack,
    _permit: SemaphorePermit<'a>,
}

impl Deref for OwnStack<'_> {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}

impl World {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            runtime: Runtime::new()?,
            dir: fresh_folder(Path::new(env!("CARGO_TARGET_TMPDIR")))?,
            binaries: OnceCell::new(),
            controlplane: OnceCell::new(),
            programs: OnceCell::new(),
            stack: OnceCell::new(),
            unattended: OnceCell::new(),
            admission: OnceCell::new(),
            more_stacks: Semaphore::new(STACKS_OF_THEIR_OWN),
            machine: RwLock::default(),
            turns: RwLock::new(()),
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
                let dir = self.dir.join("controlplane");
                let options = ControlPlaneOptions {
                    kubeconfig: dir.join("admin.kubeconfig"),
                    logs: dir.join("logs"),
                    audit: true,
                };
                ControlPlane::start(self.binaries().await?, &dir, options).await
            })
            .await
    }

    /// The whole stack, used together with other tests: nothing of it may be killed or stopped.
    pub(crate) async fn stack(&self) -> Result<Turn<'_, RwLockReadGuard<'_, ()>>> {
        let guard = self.turns.read().await;
        Ok(Turn { stack: self.started_stack().await?, _guard: guard })
    }

    /// The whole stack alone: no other test uses it meanwhile. All parts must run again when the test ends.
    pub(crate) async fn stack_alone(&self) -> Result<Turn<'_, RwLockWriteGuard<'_, ()>>> {
        let guard = self.turns.write().await;
        Ok(Turn { stack: self.started_stack().await?, _guard: guard })
    }

    /// A stack of the test's own, which may do with it what it likes.
    pub(crate) async fn own_stack(&self, name: &str) -> Result<OwnStack<'_>> {
        let permit = self.more_stacks.acquire().await?;
        Ok(OwnStack { stack: self.start_stack(name).await?, _permit: permit })
    }

    /// The services and the local RDS, built once.
    pub(crate) async fn programs(&self) -> Result<&Programs> {
        self.programs.get_or_try_init(Programs::build).await
    }

    /// Where a test may keep what it starts; `name` is its alone.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    async fn start_stack(&self, name: &str) -> Result<Stack> {
        let programs = self.programs().await?;
        let dir = self.folder(name);
        let options =
            Options { kubeconfig: dir.join("kubeconfig"), audit: true, time_scale: TIME_SCALE, engines: true };
        let started = Stack::start(self.binaries().await?, programs, &dir, options, &|_| {}).await;
        started.with_context(|| format!("the stack {name} (logs are below {})", self.dir.display()))
    }

    /// A second stack for several tests, whose webhook is away and stays away. It is registered all the same, so that whatever needs it is
    /// refused; only in namespaces with the label [`UNREGISTERED`] it is not.
    pub(crate) async fn unattended(&self) -> Result<&Stack> {
        self.unattended
            .get_or_try_init(async || {
                let stack = self.start_stack("unattended").await?;
                let (key, value) = UNREGISTERED.split_once('=').context("a label without a value")?;
                let patch = format!(
                    r#"[{{"op": "add", "path": "/webhooks/0/namespaceSelector/matchExpressions/-",
                        "value": {{"key": "{key}", "operator": "NotIn", "values": ["{value}"]}}}}]"#
                );
                let registration =
                    ["patch", "validatingwebhookconfiguration", "rds-webhook", "--type=json", "-p", &patch];
                stack.controlplane().kubectl().ok(&registration).await?;
                stack.kill(Part::Webhook).await?;
                Ok(stack)
            })
            .await
    }

    /// Admission with certificates by cert-manager, for one test after the other: each begins with fresh replicas.
    pub(crate) async fn admission(&self) -> Result<MutexGuard<'_, Admission>> {
        let start = async || anyhow::Ok(Mutex::new(Admission::start(self, "admission", CERT_MANAGER, Ok).await?));
        let mut admission = self.admission.get_or_try_init(start).await?.lock().await;
        admission.fresh().await?;
        Ok(admission)
    }

    async fn started_stack(&self) -> Result<&Stack> {
        self.stack.get_or_try_init(async || self.start_stack("stack").await).await
    }

    /// Ends all that was started. The folder with the logs stays after a failure.
    pub(crate) fn stop(self: Arc<Self>, failed: bool) -> Result<()> {
        // The trials have run and hold the world no more.
        let Some(world) = Arc::into_inner(self) else { bail!("a test still holds the world") };
        world.runtime.block_on(async {
            for stack in [world.stack, world.unattended].into_iter().filter_map(OnceCell::into_inner) {
                stack.stop().await?;
            }
            if let Some(admission) = world.admission.into_inner() {
                admission.into_inner().stop().await?;
            }
            if let Some(controlplane) = world.controlplane.into_inner() {
                controlplane.stop().await?;
            }
            anyhow::Ok(())
        })?;
        if failed {
            return Ok(writeln!(std::io::stderr(), "the logs are in {}", world.dir.display())?);
        }
        std::fs::remove_dir_all(&world.dir).with_context(|| format!("removing {}", world.dir.display()))
    }
}

/// A folder of this run's own. Those of runs that are over are removed: they were left for someone to read their logs.
fn fresh_folder(root: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        let over = name.strip_prefix("e2e-").is_some_and(|pid| !Path::new("/proc").join(pid).exists());
        if over {
            std::fs::remove_dir_all(entry.path()).with_context(|| format!("removing {}", entry.path().display()))?;
        }
    }
    let folder = root.join(format!("e2e-{}", std::process::id()));
    std::fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// Makes a trial of an async function on the world. All names begin with `e2e::`, so that `-- --skip e2e::` runs everything else.
pub(crate) fn trial<F>(world: &Arc<World>, name: &str, test: F) -> Trial
where
    F: AsyncFnOnce(&World) -> Result<()> + Send + 'static,
{
    long_trial(world, name, Duration::ZERO, test)
}

/// A trial that may take so much longer than others.
pub(crate) fn long_trial<F>(world: &Arc<World>, name: &str, longer: Duration, test: F) -> Trial
where
    F: AsyncFnOnce(&World) -> Result<()> + Send + 'static,
{
    let (world, limit) = (Arc::clone(world), LIMIT + longer);
    Trial::test(format!("e2e::{name}"), move || {
        world.runtime.block_on(async {
            let _others = world.machine.read().await;
            judge(limit, test(&world)).await
        })
    })
}

/// A trial that has the machine for itself: it takes all of a processor, or measures.
pub(crate) fn quiet_trial<F>(world: &Arc<World>, name: &str, test: F) -> Trial
where
    F: AsyncFnOnce(&World) -> Result<()> + Send + 'static,
{
    let world = Arc::clone(world);
    Trial::test(format!("e2e::{name}"), move || {
        world.runtime.block_on(async {
            let _alone = world.machine.write().await;
            judge(LIMIT, test(&world)).await
        })
    })
}

async fn judge(limit: Duration, test: impl Future<Output = Result<()>>) -> Result<(), Failed> {
    let late = |_| Err(anyhow!("not over within {} s", limit.as_secs()));
    timeout(limit, test).await.unwrap_or_else(late).map_err(|error| Failed::from(format!("{error:#}")))
}
