//! "In a cluster", to the letter.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use tokio::process::Command;

use crate::{
    documents::{blocks, run},
    operator::workspace,
    world::{World, trial},
};

/// What the README leaves to the reader: an overlay of one's own.
const PRODUCTION: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../self-managed]
components: [../../../testbed/node/local-rds]
";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "readme::in_a_cluster_is_followed_to_the_letter", is_followed)]
}

async fn is_followed(world: &World) -> Result<()> {
    let node = world.without_operator().await?;
    let kubectl = node.kubectl();
    let checkout = world.folder("checkout")?;
    copy(&checkout).await?;
    let overlay = checkout.join("manifests/overlays/production");
    fs::create_dir_all(&overlay)?;
    fs::write(overlay.join("kustomization.yaml"), PRODUCTION)?;
    // It is mounted, so it has to be there before.
    kubectl.ok(&["create", "namespace", "rds-system"]).await?;
    node.trust_local_rds().await?;

    let mut ran = 0;
    for block in blocks("README.md", "## In a cluster")? {
        // The other way to install has a trial of its own.
        if block.starts_with("helm ") {
            continue;
        }
        run(&block, &checkout, kubectl).await?;
        ran += 1;
    }
    anyhow::ensure!(ran == 2, "{ran} blocks were run: installing and the first database are two");
    kubectl.ok(&["wait", "-n", "default", "rds/minimal", "--for=condition=Ready", "--timeout=170s"]).await?;
    kubectl.ok(&["delete", "rds", "-n", "default", "minimal", "--timeout=170s"]).await?;
    for block in blocks("docs/install.md", "## Removing")? {
        run(&block, &checkout, kubectl).await?;
    }
    Ok(())
}

/// A checkout's files that the commands name.
async fn copy(checkout: &Path) -> Result<()> {
    fs::create_dir_all(checkout.join("testbed/node"))?;
    for folder in ["manifests", "certs", "testbed/node/local-rds"] {
        let target = checkout.join(folder);
        let target = target.parent().context("a folder of a checkout")?;
        let status = Command::new("cp").arg("-R").arg(workspace(folder)).arg(target).status().await?;
        anyhow::ensure!(status.success(), "copying {folder}");
    }
    Ok(())
}
