//! An API server that has the CRDs and no webhook.

use std::path::Path;

use anyhow::Result;
use testbed::controlplane::{ControlPlane, Options};

use crate::world::World;

const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/crd");

/// Starts a control plane in this folder. Established comes a moment before the first request is served: whoever asks first may have to ask
/// again.
pub(crate) async fn crds_alone(world: &World, dir: &Path) -> Result<ControlPlane> {
    let options = Options { kubeconfig: dir.join("kubeconfig"), logs: dir.join("logs"), audit: false };
    let plane = ControlPlane::start(world.binaries().await?, dir, options).await?;
    plane.kubectl().ok(&["apply", "-k", CRDS]).await?;
    plane.kubectl().ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    Ok(plane)
}
