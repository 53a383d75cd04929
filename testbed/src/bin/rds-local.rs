//! The demo behind `./local.sh`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use testbed::{
    demo::{self, ClusterRequest, Request},
    node,
};
use tokio::signal::unix::{SignalKind, signal};

/// Starts the operator with all it needs on this machine and shows what it does.
#[derive(Debug, Parser)]
#[command(name = "local.sh", bin_name = "./local.sh")]
struct Args {
    /// Go on through the whole life of a database (update, a bad manifest, delete), check each step, and end: 0 if all was well.
    #[arg(long, conflicts_with = "cluster")]
    exit: bool,

    /// Run the operator in Pods, on a node that is made for it: kubelet, containerd and all. Needs root.
    #[arg(long, conflicts_with = "cluster")]
    node: bool,

    /// Run the reconciler on this machine against the cluster of your kubeconfig and your real AWS account instead. Asks before it does.
    #[arg(long)]
    cluster: bool,

    /// With --cluster: the CA bundle of AWS's RDS servers, for verified logins.
    #[arg(long, value_name = "FILE", env = "RDS_RECONCILER_CA_BUNDLE")]
    rds_ca_bundle: Option<PathBuf>,

    /// The folder for everything that is made.
    #[arg(long, value_name = "DIR", default_value = ".local", hide = true)]
    dir: PathBuf,
}

#[tokio::main]
async fn perform(args: Args) -> Result<ExitCode> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let interrupted = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    if args.cluster {
        let request = ClusterRequest { dir: args.dir, rds_ca_bundle: args.rds_ca_bundle };
        demo::run_on_cluster(&request, interrupted).await?;
    } else if args.node && !node::inside() {
        return demo::enter_node().await;
    } else {
        demo::run(&Request { dir: args.dir, exit: args.exit, node: args.node }, interrupted).await?;
    }
    Ok(ExitCode::SUCCESS)
}

fn main() -> Result<ExitCode> {
    testbed::init()?;
    perform(Args::parse()).or_else(|error| {
        demo::report(&error);
        Ok(ExitCode::FAILURE)
    })
}
