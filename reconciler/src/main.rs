//! `rds-reconciler`: reconciles RDSDatabase objects with AWS RDS.

use std::process::ExitCode;

use clap::Parser;
use reconciler::{app, args::Args};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    shared::telemetry::init(&args.log)?;
    // Both TLS stacks of the process, kube's and the AWS SDK's, use the same provider; it is installed once and first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Ok(match app::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ended");
            ExitCode::FAILURE
        }
    })
}
