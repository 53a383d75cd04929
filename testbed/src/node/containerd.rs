//! containerd with folders of its own, and the images that are put into it without a registry.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::{images::PAUSE, namespaces::CNI_PLUGINS, network::PODS_OF_NODE};
use crate::{
    eventually::eventually,
    process::{Process, Spec},
};

/// In a folder that the node covers.
pub(super) const SOCKET: &str = "/run/containerd/containerd.sock";

/// Starts it and waits until it answers.
pub(super) async fn start(dir: &Path, logs: &Path) -> Result<Process> {
    let networks = dir.join("cni");
    fs::create_dir_all(&networks)?;
    fs::write(networks.join("10-node.conflist"), network(&dir.join("cni-addresses")))?;
    let config = dir.join("containerd.toml");
    fs::write(&config, configuration(&dir.join("containerd"), &networks))?;
    let spec = Spec::new("containerd", "containerd", logs).args(["--config".as_ref(), config.as_os_str()]);
    let mut process = Process::start(spec).await?;
    eventually("an answer of containerd", async || ctr(&["version"]).await).await.or_else(|error| {
        process.check()?;
        Err(error)
    })?;
    Ok(process)
}

/// Puts an archive as of `docker save` among the images of Kubernetes.
pub(super) async fn import(archive: &Path) -> Result<()> {
    let archive = archive.to_str().context("a path that is not UTF-8")?;
    ctr(&["--namespace", "k8s.io", "images", "import", archive]).await
}

async fn ctr(arguments: &[&str]) -> Result<()> {
    let output =
        Command::new("ctr").args(["--address", SOCKET]).args(arguments).output().await.context("running ctr")?;
    ensure!(output.status.success(), "ctr {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// `restrict_oom_score_adj`: without CAP_SYS_RESOURCE, which containers of CI lack, runc may not lower the score of what it starts.
fn configuration(root: &Path, networks: &Path) -> String {
    let (root, networks) = (root.display(), networks.display());
    format!(
        r#"version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = "{SOCKET}"
[debug]
level = "warn"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PLUGINS}"
conf_dir = "{networks}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"#
    )
}

/// Pods at a bridge. Nothing leads out of the namespace, so no address has to be hidden behind the node's.
fn network(addresses: &Path) -> String {
    serde_json::json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods0",
                "isGateway": true,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": addresses,
                    "ranges": [[{"subnet": PODS_OF_NODE}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
    .to_string()
}
