//! The reconciler with the test bed's stack: a real API server, and a local RDS whose instances are real PostgreSQL servers.

mod journey;
mod memory;
mod object;
mod result;

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use testbed::controlplane::Binaries;
use testbed::stack::{Options, Part, Programs, Stack};
use tokio::time::sleep;

use self::journey::Journey;
use self::memory::Watched;
use self::object::NAMESPACE;
use crate::args::ReconcilerPlan;
use crate::report::{Table, progress};

/// The longest until objects that are made at once are Ready, for each of them.
const TOGETHER: Duration = Duration::from_secs(20);

/// Between two looks at all objects.
const LOOK: Duration = Duration::from_secs(2);

/// The reconciler lists the instances often for 90 s after the last change that it made; after that it is at rest.
const CALM: Duration = Duration::from_secs(100);

/// How often the reconciler looks at all instances while one of them is under way.
const SWEEP: Duration = Duration::from_secs(1);

/// What was measured.
#[derive(Debug)]
struct Figures {
    /// Objects that were made one after the other.
    journeys: Vec<Journey>,
    /// How many were made at once, and how long until the last of them was Ready.
    together: (usize, Duration),
    /// The process that made them all, from its start on.
    maker: Watched,
    /// A process that was started when all of them were Ready, as by an update of the operator.
    successor: Watched,
}

/// Measures the reconciler that lies beside this executable.
///
/// # Errors
/// When a part of the stack does not start, or an object does not become Ready.
#[tokio::main]
pub(crate) async fn measure(plan: &ReconcilerPlan) -> Result<Vec<Table>> {
    let programs = Programs::beside_this_one()?;
    let size = fs::metadata(programs.reconciler())?.len();
    let binaries = Binaries::ensure().await?;
    fs::create_dir_all(&plan.dir)?;
    ensure!(fs::read_dir(&plan.dir)?.next().is_none(), "{} is not empty: another run?", plan.dir.display());

    let kubeconfig = plan.dir.join("kubeconfig");
    let options = Options { kubeconfig, audit: false, time_scale: plan.time_scale, engines: true };
    let stack = Stack::start(&binaries, &programs, &plan.dir, options, &|part| progress(part)).await?;
    let figures = observe(&stack, plan).await;
    stack.stop().await?;
    let figures = figures.with_context(|| format!("the logs are in {}", plan.dir.join("logs").display()))?;
    fs::remove_dir_all(&plan.dir)?;
    result::tables(plan, size, &figures)
}

async fn observe(stack: &Stack, plan: &ReconcilerPlan) -> Result<Figures> {
    stack.controlplane().kubectl().ok(&["create", "namespace", NAMESPACE]).await?;
    let timed = plan.timed.min(plan.objects - 1);

    let first = journey::follow(stack, &object::name(0)).await?;
    progress(&format!("one that is not counted, as PostgreSQL may have been downloaded for it: {first}"));
    let mut journeys = Vec::new();
    for number in 1..=timed {
        // Ready comes soon after a look of the reconciler at all instances: the next object begins a little later after it each time.
        sleep(SWEEP * u32::from(number) / u32::from(timed)).await;
        let journey = journey::follow(stack, &object::name(number)).await?;
        progress(&format!("{number} of {timed}: {journey}"));
        journeys.push(journey);
    }
    let together = timed + 1..plan.objects;
    progress(&format!("{} more at once", together.len()));
    let took = make_together(stack, together.clone()).await?;

    progress("letting it come to rest");
    sleep(CALM).await;
    let maker = Watched::watch(pid(stack).await?, plan.rest).await?;
    progress("starting the reconciler anew");
    stack.restart(Part::Reconciler).await?;
    sleep(CALM).await;
    let successor = Watched::watch(pid(stack).await?, plan.rest).await?;
    ensure!(object::ready(stack).await? == usize::from(plan.objects), "not all objects stayed Ready");
    Ok(Figures { journeys, together: (together.len(), took), maker, successor })
}

/// Applies one manifest with many objects; gives how long it took until all objects were Ready.
async fn make_together(stack: &Stack, numbers: std::ops::Range<u16>) -> Result<Duration> {
    let wanted = usize::from(numbers.end);
    let limit = TOGETHER * u32::try_from(numbers.len())?;
    let manifest: Vec<String> = numbers.map(|number| object::manifest(&object::name(number))).collect();
    let began = Instant::now();
    if !manifest.is_empty() {
        stack.controlplane().kubectl().apply(&manifest.join("---\n")).await?;
    }
    loop {
        let ready = object::ready(stack).await?;
        if ready == wanted {
            return Ok(began.elapsed());
        }
        ensure!(began.elapsed() < limit, "only {ready} of {wanted} objects are Ready after {limit:?}");
        sleep(LOOK).await;
    }
}

async fn pid(stack: &Stack) -> Result<u32> {
    stack.pid(Part::Reconciler).await.context("the reconciler does not run")
}
