//! `./local.sh`: what someone sees who meets the operator for the first time.

mod account;
mod chapters;
mod cluster;
mod environment;
mod follow;
mod ground;
mod narrator;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::{Result, ensure};

use self::{
    chapters::Chapters,
    environment::{Folder, quote},
    ground::Ground,
    narrator::Narrator,
};
use crate::{node, stack::Programs};

pub use self::cluster::{ClusterRequest, run as run_on_cluster};

/// What the local RDS multiplies the durations of AWS by: creating takes about 5 seconds instead of 5 minutes.
const TIME_SCALE: f64 = 0.015;

/// What the demo is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The folder for everything it makes.
    pub dir: PathBuf,
    /// Whether to go on through the whole life of a database and to end, instead of staying up.
    pub exit: bool,
    /// Whether the operator runs in Pods; this is the run inside of a node's namespaces then.
    pub node: bool,
}

/// Fetches what a node needs and goes on inside of its namespaces.
///
/// # Errors
/// When this machine lacks something, or it cannot be had.
pub async fn enter_node() -> Result<ExitCode> {
    node::require()?;
    node::ensure_programs().await?;
    Programs::beside_this_one()?.fetch_postgresql(node::POSTGRESQL).await?;
    node::enter().await
}

/// Starts the stack, shows a database come up, and stays until `interrupted`, or shows the rest of its life and ends.
///
/// # Errors
/// When something does not happen as it should.
pub async fn run(request: &Request, interrupted: impl Future<Output = ()>) -> Result<()> {
    tokio::pin!(interrupted);
    let narrator = Narrator::new();
    let folder = Folder::take(&request.dir)?;

    narrator.chapter("Starting everything on this machine");
    let start = async {
        match request.node {
            true => Ground::pods(&folder, &narrator).await,
            false => Ground::processes(&folder, &narrator).await,
        }
    };
    let mut ground = tokio::select! {
        // Dropping what is half started kills what has been started.
        () = &mut interrupted => return ended_early(request.exit),
        ground = start => ground?,
    };
    let outcome = tokio::select! {
        () = &mut interrupted => ended_early(request.exit),
        outcome = perform(&ground, &folder, &narrator, request.exit) => outcome,
    };
    let outcome = match outcome {
        Ok(()) if !request.exit => {
            tokio::select! {
                () = &mut interrupted => Ok(()),
                ended = ground.watch() => ended,
            }
        }
        other => other,
    };
    if outcome.is_err() {
        narrator.plain(&format!("\nThe logs are in {}", ground.logs().display()));
    }
    narrator.chapter("Ending everything");
    ground.stop().await?;
    narrator.done("all processes have ended");
    outcome
}

async fn perform(ground: &Ground, folder: &Folder, narrator: &Narrator, exit: bool) -> Result<()> {
    let mut chapters = Chapters::new(ground, narrator);
    chapters.create().await?;
    chapters.log_in().await?;
    if exit {
        chapters.update().await?;
        chapters.refuse().await?;
        return chapters.delete().await;
    }
    narrator.plain(&how_to_go_on(ground, folder));
    Ok(())
}

/// Ctrl-C is how the demo is meant to end, but not the run that is to check everything.
fn ended_early(exit: bool) -> Result<()> {
    ensure!(!exit, "interrupted before everything was checked");
    Ok(())
}

/// Says on stderr why the demo ends.
pub fn report(error: &anyhow::Error) {
    // Nobody is left to tell if stderr is closed.
    let _ = writeln!(std::io::stderr(), "local.sh: {error:#}");
}

fn how_to_go_on(ground: &Ground, folder: &Folder) -> String {
    let env = quote(&folder.env().display().to_string());
    let places = ground.places(&ground.logs());
    format!(
        "
Everything is up until you press Ctrl-C. In another terminal:

    source {env}

    kubectl get rds -A                                   the databases
    kubectl describe rds -n shop orders                  what was done, and what was seen
    kubectl get secrets,services -n shop                 what applications bind to
    kubectl edit rds -n shop orders                      grow it, add a user, try something wrong
    kubectl apply -f manifests/examples/minimal.yaml     another one, else by defaults
    kubectl delete rds -n shop orders                    its last snapshot stays, and so do the Secrets
{places}
"
    )
}
