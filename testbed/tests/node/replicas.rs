//! The operator's replicas, as Pods on the node.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testbed::{eventually::eventually, kubectl::Kubectl, stack::NAMESPACE};

/// One Pod of a Deployment; those that are about to end count too.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) uid: String,
    /// It has none before it is placed on a node.
    address: Option<IpAddr>,
    pub(crate) ready: bool,
    pub(crate) ending: bool,
    /// Why the scheduler has not placed it.
    pub(crate) unplaced: Option<String>,
}

/// All replicas of a Deployment.
pub(crate) async fn replicas(kubectl: &Kubectl, deployment: &str) -> Result<Vec<Replica>> {
    let label = format!("app.kubernetes.io/name={deployment}");
    let list = kubectl.ok(&["get", "pods", "-n", NAMESPACE, "-l", &label, "-o", "json"]).await?;
    let list: Value = serde_json::from_str(&list)?;
    list["items"].as_array().into_iter().flatten().map(Replica::read).collect()
}

/// Waits until a rollout is through and the former replicas are gone; gives the present ones, all of them ready.
pub(crate) async fn rolled_out(kubectl: &Kubectl, deployment: &str, wanted: usize) -> Result<Vec<Replica>> {
    let name = format!("deployment/{deployment}");
    kubectl.ok(&["rollout", "status", "-n", NAMESPACE, &name, "--timeout=170s"]).await?;
    eventually(&format!("{wanted} replicas of {deployment} and no other"), async || {
        let found = replicas(kubectl, deployment).await?;
        ensure!(found.len() == wanted && found.iter().all(|one| one.ready && !one.ending), "{found:?}");
        Ok(found)
    })
    .await
}

impl Replica {
    fn read(pod: &Value) -> Result<Self> {
        let (metadata, status) = (&pod["metadata"], &pod["status"]);
        let condition = |kind: &str| status["conditions"].as_array()?.iter().find(|one| one["type"] == kind);
        let unplaced = condition("PodScheduled").filter(|one| one["status"] == "False");
        Ok(Self {
            name: metadata["name"].as_str().context("a Pod without a name")?.to_owned(),
            uid: metadata["uid"].as_str().context("a Pod without a UID")?.to_owned(),
            address: status["podIP"].as_str().map(str::parse).transpose()?,
            ready: condition("Ready").is_some_and(|one| one["status"] == "True"),
            ending: !metadata["deletionTimestamp"].is_null(),
            unplaced: unplaced.map(|one| one["message"].as_str().unwrap_or_default().to_owned()),
        })
    }

    /// Where one of its ports is.
    pub(crate) fn at(&self, port: u16) -> Result<SocketAddr> {
        let address = self.address.with_context(|| format!("{} has no address", self.name))?;
        Ok(SocketAddr::new(address, port))
    }
}
