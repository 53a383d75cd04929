//! `manifests/` against an API server that has never seen them.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;

use crate::world::{World, trial};

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "manifests::install_at_the_first_try", install_at_the_first_try)]
}

/// As README says: one command, no second try, no object of our own kinds before the CRDs are served.
async fn install_at_the_first_try(world: &World) -> Result<()> {
    let kubectl = world.controlplane().await?.kubectl();
    let base = format!("{MANIFESTS}/base");
    let output = kubectl.run(&["apply", "-k", &base]).await?;
    ensure!(output.success, "{}", output.stderr);
    ensure!(!output.stderr.contains("Warning:"), "{}", output.stderr);
    kubectl.ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    for name in ["rdsdatabases", "rds", "rdsdatabaseclasses"] {
        kubectl.ok(&["get", name]).await?;
    }
    // 0 means no difference, 1 that there is one, more that it could not be told.
    let difference = kubectl.run(&["diff", "-k", &base]).await?;
    ensure!(difference.success, "the API server holds something else: {}{}", difference.stdout, difference.stderr);
    Ok(())
}
