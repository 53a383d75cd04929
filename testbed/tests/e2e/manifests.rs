//! `manifests/` against an API server that has never seen them.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use testbed::{eventually::eventually, kubectl::Kubectl};

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
    the_roles_of_people(kubectl).await
}

/// Whoever has `view`, `edit` or `admin` in a namespace has it for databases too; classes need the role in the whole cluster.
async fn the_roles_of_people(kubectl: &Kubectl) -> Result<()> {
    kubectl.ok(&["create", "namespace", "people"]).await?;
    for (user, role) in [("viewer", "view"), ("editor", "edit"), ("owner", "admin")] {
        let (role, subject) = (format!("--clusterrole={role}"), format!("--user={user}"));
        kubectl.ok(&["create", "rolebinding", "-n", "people", user, &role, &subject]).await?;
    }
    kubectl.ok(&["create", "clusterrolebinding", "auditor", "--clusterrole=view", "--user=auditor"]).await?;
    for (user, verb, resource, allowed) in [
        ("viewer", "watch", "rdsdatabases", true),
        ("viewer", "create", "rdsdatabases", false),
        ("viewer", "list", "rdsdatabaseclasses", false),
        ("editor", "get", "rdsdatabases", true),
        ("editor", "create", "rdsdatabases", true),
        ("editor", "delete", "rdsdatabases", true),
        ("editor", "deletecollection", "rdsdatabases", false),
        ("editor", "patch", "rdsdatabases/status", false),
        ("owner", "patch", "rdsdatabases", true),
        ("owner", "deletecollection", "rdsdatabases", true),
        ("owner", "create", "rdsdatabaseclasses", false),
        ("auditor", "list", "rdsdatabaseclasses", true),
        ("auditor", "update", "rdsdatabaseclasses", false),
    ] {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let resource = format!("{resource}.matrixmind.cloud");
        let subresource = format!("--subresource={subresource}");
        let place = if resource.contains("classes") { "--all-namespaces" } else { "--namespace=people" };
        let args = ["auth", "can-i", verb, &resource, &subresource, place, "--as", user];
        // A controller fills the roles, a moment after they are there.
        eventually(Duration::from_secs(20), &format!("{user} {verb} {resource}: {allowed}"), async || {
            let answer = kubectl.run(&args).await?;
            ensure!(answer.stdout.trim() == if allowed { "yes" } else { "no" }, "{answer:?}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}
