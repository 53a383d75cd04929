//! kubelet and kube-proxy, as on any node.

use std::{fs, path::Path};

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    containerd::SOCKET,
    network::{DNS, NODE},
};
use crate::{
    controlplane::{Binaries, ControlPlane},
    process::{Process, Spec},
};

/// Starts kubelet; it registers its node by itself.
pub(super) async fn start(
    binaries: &Binaries,
    plane: &ControlPlane,
    cgroup: &str,
    dir: &Path,
    logs: &Path,
) -> Result<Process> {
    // Pods know no other DNS server than the cluster's.
    fs::write(dir.join("resolv.conf"), "")?;
    let config = dir.join("kubelet.json");
    fs::write(&config, configuration(plane, cgroup, dir, logs).to_string())?;
    let spec = Spec::new("kubelet", &binaries.kubelet, logs).args([
        format!("--config={}", config.display()),
        format!("--kubeconfig={}", plane.file("kubelet.kubeconfig").display()),
        format!("--root-dir={}", dir.join("kubelet").display()),
        format!("--cert-dir={}", dir.join("kubelet-certificates").display()),
        format!("--node-ip={}", NODE.address),
        format!("--hostname-override={}", NODE.name),
    ]);
    Process::start(spec).await
}

fn configuration(plane: &ControlPlane, cgroup: &str, dir: &Path, logs: &Path) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE.address,
        "readOnlyPort": 0,
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": plane.file("ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": format!("unix://{SOCKET}"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "enforceNodeAllocatable": [],
        "failSwapOn": false,
        // kube-proxy needs no chains of kubelet's.
        "makeIPTablesUtilChains": false,
        "clusterDNS": [DNS],
        "clusterDomain": "cluster.local",
        "resolvConf": dir.join("resolv.conf"),
        "podLogsDir": logs.join("pods"),
        "volumePluginDir": dir.join("volume-plugins"),
        // The disk is the machine's, and mostly full of other things.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
    })
}

/// Starts kube-proxy.
pub(super) async fn start_proxy(binaries: &Binaries, plane: &ControlPlane, dir: &Path, logs: &Path) -> Result<Process> {
    let config = dir.join("kube-proxy.json");
    let content = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": plane.file("kube-proxy.kubeconfig")},
        "clusterCIDR": NODE.pods,
        "hostnameOverride": NODE.name,
        // Sizes of tables of the kernel are the machine's.
        "conntrack": {"maxPerCore": 0, "min": 0},
    });
    fs::write(&config, content.to_string())?;
    let spec = Spec::new("kube-proxy", &binaries.proxy, logs).args([format!("--config={}", config.display())]);
    Process::start(spec).await
}
