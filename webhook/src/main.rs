//! `rds-webhook`: parses its arguments and runs.

use anyhow::Context;
use clap::Parser;
use tokio::runtime::Builder;
use webhook::app;
use webhook::args::Args;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    shared::telemetry::init(&args.log).context("cannot start logging")?;
    let runtime = Builder::new_multi_thread()
        // A review takes tens of microseconds: two threads serve more of them than any API server sends, and more would only cost memory.
        .worker_threads(2)
        // One for the large reviews, which take turns, and one for reading files meanwhile.
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(app::run(args)).context("rds-webhook ends")
}
