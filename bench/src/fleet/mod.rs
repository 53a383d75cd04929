//! Many objects on one account: what they cost in calls to AWS, memory and CPU time.
//!
//! The local RDS runs without engines: what its API says is as always, and nothing listens behind it. No object becomes Ready, and the looks into the
//! databases fail and back off; what is measured is the object's life as far as the cloud goes.

mod account;
mod life;
mod object;
mod result;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use testbed::controlplane::Binaries;
use testbed::stack::{Options, Programs, Stack};

use self::life::Life;
use crate::args::FleetPlan;
use crate::report::{Table, progress};

/// Measures the reconciler that lies beside this executable, with one fleet after the other.
///
/// # Errors
/// When a part of the stack does not start, or an object does not come to where it should.
#[tokio::main]
pub(crate) async fn measure(plan: &FleetPlan) -> Result<Vec<Table>> {
    let programs = Programs::beside_this_one()?;
    let binaries = Binaries::ensure().await?;
    fs::create_dir_all(&plan.dir)?;
    ensure!(fs::read_dir(&plan.dir)?.next().is_none(), "{} is not empty: another run?", plan.dir.display());
    let quick = plan.objects.iter().map(|objects| (*objects, 0.0));
    let slow = plan.slow.iter().map(|objects| (*objects, 1.0));
    let mut lives = Vec::new();
    for (objects, time_scale) in quick.chain(slow) {
        let dir = plan.dir.join(format!("{objects}-{time_scale}"));
        progress(&format!("{objects} objects, durations of AWS times {time_scale}"));
        let life = live(plan, objects, time_scale, &binaries, &programs, &dir).await;
        lives.push(life.with_context(|| format!("the logs are in {}", dir.join("logs").display()))?);
        fs::remove_dir_all(&dir)?;
    }
    fs::remove_dir_all(&plan.dir)?;
    Ok(result::tables(plan, &lives))
}

async fn live(
    plan: &FleetPlan,
    objects: usize,
    time_scale: f64,
    binaries: &Binaries,
    programs: &Programs,
    dir: &Path,
) -> Result<Life> {
    let options = Options { kubeconfig: dir.join("kubeconfig"), audit: false, time_scale, engines: false };
    let stack = Stack::start(binaries, programs, dir, options, &|part| progress(part)).await?;
    let life = Life::live(&stack, objects, time_scale, plan.rest).await;
    stack.stop().await?;
    life
}
