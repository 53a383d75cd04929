//! `rds-webhook`: parses its arguments and runs.

use anyhow::Context;
use clap::Parser;
use tokio::runtime::Builder;
use webhook::app;
use webhook::args::Args;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    shared::telemetry::init(&args.log).context("cannot start logging")?;
    // A review takes tens of microseconds, which is more of them a second than API servers send; a second thread would mostly be woken up in vain,
    // and that costs as much as a third of a review.
    let runtime = Builder::new_current_thread()
        // For reading files only.
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(app::run(args)).context("rds-webhook ends")
}
