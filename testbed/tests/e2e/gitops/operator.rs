//! The operator itself, installed by a GitOps tool. A self-managed webhook writes into three objects that the tool has applied: its
//! authority's Secret, and the caBundle of two registrations.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testbed::{
    controlplane::{ControlPlane, Options},
    kubectl::Kubectl,
};

use super::{
    repository::Repository,
    tools::{Argo, Flux, Way},
};
use crate::world::World;

const OVERLAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/overlays/self-managed");
const NAMESPACE: &str = "rds-system";

/// Each tool has a control plane of its own: nobody else's marks are there.
pub(super) async fn stays_synced(world: &World) -> Result<()> {
    for way in [Way::ClientSide, Way::ServerSide] {
        let dir = tempfile::tempdir()?;
        let plane = control_plane(world, dir.path()).await?;
        argo_cd(plane.kubectl(), way).await?;
        plane.stop().await?;
    }
    let dir = tempfile::tempdir()?;
    let plane = control_plane(world, dir.path()).await?;
    flux(plane.kubectl()).await?;
    plane.stop().await
}

async fn control_plane(world: &World, dir: &std::path::Path) -> Result<ControlPlane> {
    let options = Options { kubeconfig: dir.join("kubeconfig"), logs: dir.join("logs"), audit: false };
    ControlPlane::start(world.binaries().await?, dir, options).await
}

async fn argo_cd(kubectl: &Kubectl, way: Way) -> Result<()> {
    let repository = operator(kubectl).await?;
    let argo = Argo::find(kubectl, NAMESPACE, way).await?;
    argo.sync(&repository, &[]).await?.all_applied()?;
    let written = as_the_webhook(kubectl).await?;
    let second = argo.sync(&repository, &["--prune"]).await?;
    second.all_applied()?;
    ensure!(second.strays.is_empty(), "Argo CD would prune {:?}", second.strays);
    for seen in &second.objects {
        let differs: Vec<_> = seen.differences.iter().filter(|(means, _)| way.is_compared_by(means)).collect();
        ensure!(differs.is_empty(), "{} is OutOfSync: {differs:?}", seen.object);
    }
    ensure!(bundles_and_secret(kubectl).await? == written, "the synchronization undid what the webhook has written");
    Ok(())
}

async fn flux(kubectl: &Kubectl) -> Result<()> {
    let repository = operator(kubectl).await?;
    let flux = Flux::find(kubectl, NAMESPACE).await?;
    // No Pod ever runs here.
    flux.apply(&repository, &["--wait=false"]).await?;
    let written = as_the_webhook(kubectl).await?;
    let second = flux.apply(&repository, &["--wait=false"]).await?;
    ensure!(second.all_unchanged(), "{second:?}");
    ensure!(bundles_and_secret(kubectl).await? == written, "Flux undid what the webhook has written");
    Ok(())
}

/// A repository with the rendered overlay.
async fn operator(kubectl: &Kubectl) -> Result<Repository> {
    let repository = Repository::empty().await?;
    repository.write("operator.yaml", &kubectl.ok(&["kustomize", OVERLAY]).await?).await?;
    Ok(repository)
}

/// Writes what the webhook writes, by the same kinds of patches; gives what is there then.
async fn as_the_webhook(kubectl: &Kubectl) -> Result<Vec<Value>> {
    let manager = "--field-manager=rds-webhook";
    let secret = r#"{"data": {"ca.crt": "cHVibGlj", "ca.key": "cHJpdmF0ZQ=="}}"#;
    let args = ["patch", "secret", "rds-webhook-authority", "-n", NAMESPACE, manager, "--type=merge", "-p", secret];
    kubectl.ok(&args).await?;
    for (kind, webhook) in [("mutating", "default"), ("validating", "validate")] {
        let bundle = format!(
            r#"{{"webhooks": [{{"name": "{webhook}.rdsdatabases.matrixmind.cloud", "clientConfig": {{"caBundle": "{}"}}}}]}}"#,
            authority()?
        );
        let kind = format!("{kind}webhookconfiguration");
        kubectl.ok(&["patch", &kind, "rds-webhook", manager, "--type=strategic", "-p", &bundle]).await?;
    }
    bundles_and_secret(kubectl).await
}

/// The API server takes a caBundle only if it is one.
fn authority() -> Result<String> {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let authority = rcgen::generate_simple_self_signed(["rds-webhook".to_owned()])?;
    Ok(BASE64_STANDARD.encode(authority.cert.pem()))
}

async fn bundles_and_secret(kubectl: &Kubectl) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
        let object: Value = serde_json::from_str(&kubectl.ok(&["get", kind, "rds-webhook", "-o", "json"]).await?)?;
        let bundle = object.pointer("/webhooks/0/clientConfig/caBundle").context("no caBundle")?;
        found.push(bundle.clone());
    }
    let secret = kubectl.ok(&["get", "secret", "-n", NAMESPACE, "rds-webhook-authority", "-o", "json"]).await?;
    found.push(serde_json::from_str::<Value>(&secret)?["data"].clone());
    Ok(found)
}
