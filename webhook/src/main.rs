//! `rds-webhook`: parses its arguments and runs.

use anyhow::Context;
use clap::Parser;
use webhook::app;
use webhook::args::Args;

// A review takes tens of microseconds: two threads serve more of them than any API server sends, and more would only cost memory.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    shared::telemetry::init(&args.log).context("cannot start logging")?;
    app::run(args).await.context("rds-webhook ends")
}
