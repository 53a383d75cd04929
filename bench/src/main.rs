//! `bench`: measures the release binaries of both services. `bench.sh` builds them and calls it.

mod args;
mod fleet;
mod latencies;
mod machine;
mod process;
mod reconciler;
mod report;
mod simulation;
mod sql;
mod statistics;
mod webhook;

use anyhow::{Context, Result};
use clap::Parser;

use crate::args::{Args, Subject};
use crate::machine::Machine;

fn main() -> Result<()> {
    testbed::init()?;
    let args = Args::parse();
    let machine = Machine::look(&args.command, args.subject.has_peer())?;
    let tables = match &args.subject {
        Subject::Webhook(plan) => webhook::measure(plan).context("measuring the webhook")?,
        Subject::Agreement(plan) => webhook::agree(plan).context("comparing the webhook's answers with its peer's")?,
        Subject::Reconciler(plan) => reconciler::measure(plan).context("measuring the reconciler")?,
        Subject::Fleet(plan) => fleet::measure(plan).context("measuring fleets")?,
        Subject::Simulation(plan) => simulation::measure(plan).context("the simulation")?,
        Subject::Sql(plan) => sql::measure(plan).context("measuring the engine")?,
    };
    let section = report::section(&machine, &tables);
    report::print(&section)?;
    if let Some(path) = &args.write {
        report::write(path, args.subject.name(), &section)?;
    }
    Ok(())
}
