//! The admission policies that keep protected objects, and classes that have databases: judged by the API server alone, with no service of ours running.

use std::{path::Path, sync::Arc};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use testbed::{
    controlplane::{ControlPlane, Options},
    eventually::eventually,
    kubectl::{Kubectl, Output},
};

use crate::world::{World, trial};

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");

/// Deleting all objects of a namespace in one request, which asks about each.
const COLLECTION: &str = "/apis/matrixmind.cloud/v1/namespaces/vaults/rdsdatabases";

/// Specifications that protect nothing, as whole fields of a manifest: absent and null count as not said, also for the spec itself.
const FREE: [(&str, &str); 7] = [
    ("without-spec", ""),
    ("null-spec", "spec: null"),
    ("empty-spec", "spec: {}"),
    ("null-protection", "spec: {deletionProtection: null, deletionPolicy: null}"),
    ("unprotected", "spec: {deletionProtection: false, deletionPolicy: Snapshot}"),
    ("null-and-retained", "spec: {deletionProtection: null, deletionPolicy: Retain}"),
    ("retained", "spec: {deletionProtection: true, deletionPolicy: Retain}"),
];

const PROTECTED: [(&str, &str); 4] = [
    ("by-default", "spec: {deletionProtection: true}"),
    ("null-policy", "spec: {deletionProtection: true, deletionPolicy: null}"),
    ("snapshot", "spec: {deletionProtection: true, deletionPolicy: Snapshot}"),
    ("no-snapshot", "spec: {deletionProtection: true, deletionPolicy: Delete}"),
];

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "protection::a_protected_object_is_not_deleted", a_protected_object_is_not_deleted),
        trial(world, "protection::a_class_in_use_is_not_deleted", a_class_in_use_is_not_deleted),
    ]
}

async fn a_protected_object_is_not_deleted(world: &World) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let plane = without_services(world, dir.path(), "deletion-protection").await?;
    let kubectl = plane.kubectl();
    kubectl.ok(&["create", "namespace", "vaults"]).await?;
    create(kubectl, "first", "spec: {deletionProtection: true}").await?;
    // A new policy takes a moment to be in force.
    eventually("the policy to be in force", async || {
        let tried = kubectl.run(&["delete", "rds", "-n", "vaults", "first", "--dry-run=server"]).await?;
        ensure!(!tried.success, "a protected object would be deleted");
        Ok(())
    })
    .await?;

    for (name, spec) in FREE.iter().chain(&PROTECTED) {
        create(kubectl, name, spec).await?;
    }
    for (name, spec) in PROTECTED {
        let output = kubectl.run(&["delete", "rds", "-n", "vaults", name]).await?;
        refused(&output, spec)?;
    }
    for (name, spec) in FREE {
        let output = kubectl.run(&["delete", "rds", "-n", "vaults", name]).await?;
        ensure!(output.success, "{spec}: {}", output.stderr);
    }
    refused(&kubectl.run(&["delete", "--raw", COLLECTION]).await?, "all at once")?;

    // The namespace cannot go either, and goes by itself when the last protection is lifted.
    kubectl.ok(&["delete", "namespace", "vaults", "--wait=false"]).await?;
    let condition = r#"jsonpath={.status.conditions[?(@.type=="NamespaceDeletionContentFailure")].message}"#;
    eventually("the namespace to say what holds it", async || {
        let told = kubectl.ok(&["get", "namespace", "vaults", "-o", condition]).await?;
        ensure!(told.contains("spec.deletionProtection is true"), "it says {told:?}");
        Ok(())
    })
    .await?;
    let kept =
        kubectl.ok(&["get", "rds", "-n", "vaults", "-o", "jsonpath={.items[*].metadata.deletionTimestamp}"]).await?;
    ensure!(kept.is_empty(), "objects are being deleted since {kept}");
    for name in PROTECTED.iter().map(|(name, _)| *name).chain(["first"]) {
        let lifted = r#"{"spec": {"deletionProtection": false}}"#;
        kubectl.ok(&["patch", "rds", "-n", "vaults", name, "--type=merge", "-p", lifted]).await?;
    }
    // The namespace controller tries again ever more slowly, at least once a minute.
    eventually("the namespace to go", async || {
        let left =
            kubectl.ok(&["get", "namespace", "vaults", "--ignore-not-found", "-o", "jsonpath={.status}"]).await?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    })
    .await?;
    plane.stop().await
}

/// What the status of a class says, and whether it goes.
async fn a_class_in_use_is_not_deleted(world: &World) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let plane = without_services(world, dir.path(), "class-in-use").await?;
    let kubectl = plane.kubectl();
    let create = async |name: &str, status: &str| {
        let manifest = format!(
            "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabaseClass\nmetadata: {{name: {name}}}\nspec: {{}}\n"
        );
        eventually(&format!("the class {name}"), async || {
            kubectl.apply(&manifest).await?;
            Ok(())
        })
        .await?;
        let patch = format!(r#"{{"status": {status}}}"#);
        kubectl.ok(&["patch", "rdsclass", name, "--subresource=status", "--type=merge", "-p", &patch]).await
    };
    create("first", r#"{"databases": 3}"#).await?;
    eventually("the policy to be in force", async || {
        let tried = kubectl.run(&["delete", "rdsclass", "first", "--dry-run=server"]).await?;
        ensure!(!tried.success, "a class in use would be deleted");
        Ok(())
    })
    .await?;
    let refused = kubectl.run(&["delete", "rdsclass", "first"]).await?;
    for said in ["(Forbidden)", "the class has 3 databases", "Delete them first"] {
        ensure!(refused.stderr.contains(said), "{said:?} is not in {}", refused.stderr);
    }
    for (name, status) in [("uncounted", "null"), ("without-count", "{}"), ("free", r#"{"databases": 0}"#)] {
        create(name, status).await?;
        kubectl.ok(&["delete", "rdsclass", name]).await?;
    }
    create("first", r#"{"databases": 0}"#).await?;
    kubectl.ok(&["delete", "rdsclass", "first"]).await?;
    plane.stop().await
}

/// A control plane with the resources and one policy, and neither webhooks nor a reconciler.
async fn without_services(world: &World, dir: &Path, policy: &str) -> Result<ControlPlane> {
    let options = Options { kubeconfig: dir.join("kubeconfig"), logs: dir.join("logs"), audit: false };
    let plane = ControlPlane::start(world.binaries().await?, dir, options).await?;
    let kubectl = plane.kubectl();
    kubectl.ok(&["apply", "-k", &format!("{MANIFESTS}/crd")]).await?;
    kubectl.ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    kubectl.ok(&["apply", "-f", &format!("{MANIFESTS}/base/{policy}.yaml")]).await?;
    Ok(plane)
}

async fn create(kubectl: &Kubectl, name: &str, spec: &str) -> Result<()> {
    let manifest = format!(
        "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {{name: {name}, namespace: vaults}}\n{spec}\n"
    );
    // Established comes a moment before the first request is served.
    eventually(&format!("{name} to be created"), async || {
        let output = kubectl.run_with_input(&["create", "-f", "-"], &manifest).await?;
        ensure!(output.success, "{}", output.stderr);
        Ok(())
    })
    .await
}

/// Refused, with what to do about it.
fn refused(output: &Output, what: &str) -> Result<()> {
    ensure!(!output.success, "{what}: deleted");
    for said in ["(Forbidden)", "spec.deletionProtection is true", "set it to false first", "deletionPolicy to Retain"]
    {
        ensure!(output.stderr.contains(said), "{what}: {said:?} is not in {}", output.stderr);
    }
    Ok(())
}
