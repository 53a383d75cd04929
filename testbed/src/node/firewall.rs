//! What enforces NetworkPolicies: kube-router's firewall, beside kube-proxy. Without it a node lets everything through.

use std::fs;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::{GRACE, NODE, Node};
use crate::{
    go_programs,
    process::{Process, Spec},
};

/// The folder below `testbed/` that pins it.
const FOLDER: &str = "node/firewall";

/// Whether bridges show iptables what passes.
const BRIDGED: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/// What undoes its rules once it has ended: nobody else on a node has any in this table, and `--cleanup-config` leaves them.
const UNDO: [&str; 3] = ["iptables --flush", "iptables --delete-chain", "ipset destroy"];

/// Policies are enforced while it runs. Dropping it kills it, and its rules stay.
pub struct Firewall(Process);

impl Node {
    /// Builds what [`enforce_policies`](Self::enforce_policies) runs. A node itself has nowhere to fetch it from.
    ///
    /// # Errors
    /// When it cannot be built.
    pub async fn ensure_firewall() -> Result<()> {
        go_programs::build(FOLDER).await.map(drop)
    }

    /// Starts to enforce NetworkPolicies; the first are in force within a second or two.
    ///
    /// # Errors
    /// When it cannot be started, or the kernel keeps bridges to itself.
    pub async fn enforce_policies(&self) -> Result<Firewall> {
        // What goes from Pod to Pod passes a bridge, and rules see it only where the kernel says so.
        fs::write(BRIDGED, "1").with_context(|| format!("{BRIDGED}: the module br_netfilter must be loaded"))?;
        let program = go_programs::build(FOLDER).await?.join("kube-router");
        let spec = Spec::new("firewall", program, &self.logs).args([
            "--run-firewall=true".to_owned(),
            "--run-router=false".to_owned(),
            "--run-service-proxy=false".to_owned(),
            format!("--hostname-override={}", NODE.name),
            format!("--service-cluster-ip-range={}", NODE.services),
            format!("--kubeconfig={}", self.kubectl().kubeconfig().display()),
        ]);
        Ok(Firewall(Process::start(spec).await?))
    }
}

impl Firewall {
    /// Fails when it has ended, with the end of its log.
    ///
    /// # Errors
    /// When it is not running.
    pub fn check(&mut self) -> Result<()> {
        self.0.check()
    }

    /// Ends it, and lets everything through again.
    ///
    /// # Errors
    /// When it cannot be ended, or a rule stays.
    pub async fn stop(mut self) -> Result<()> {
        self.0.stop(GRACE).await?;
        for line in UNDO {
            let mut words = line.split(' ');
            let program = words.next().unwrap_or_default();
            let output = Command::new(program).args(words).output().await.with_context(|| format!("running {line}"))?;
            ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}
