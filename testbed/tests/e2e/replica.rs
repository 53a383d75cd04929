//! A reconciler beside the stack's own: a second replica, or one with an environment of its own.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testbed::{
    eventually::eventually,
    process::{Process, Spec},
    stack::Stack,
};

/// Longer than a leader's Lease, and the reconciler's own pauses between two tries to get into AWS.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running reconciler. Dropping it kills it.
pub(crate) struct Replica {
    pub(crate) process: Process,
    url: String,
}

impl Replica {
    /// Starts it as the stack starts its own, but for what `adjust` changes.
    pub(crate) async fn start(stack: &Stack, name: &str, adjust: impl FnOnce(Spec) -> Spec) -> Result<Self> {
        let prepared = stack.further_reconciler(name).await?.adjusted(adjust);
        let replica = Self { process: Process::start(prepared.spec.clone()).await?, url: prepared.admin().to_owned() };
        eventually(&format!("{name} to answer"), async || replica.get("healthz").await).await?;
        Ok(replica)
    }

    /// What one of the admin port's pages says: the HTTP status and the text.
    pub(crate) async fn get(&self, page: &str) -> Result<(u16, String)> {
        page_of(&self.url, page).await
    }

    /// The address of its admin port.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many passes over objects it has made.
    pub(crate) async fn passes(&self) -> Result<u64> {
        let (_, text) = self.get("metrics").await?;
        let counts =
            text.lines().filter_map(|line| line.strip_prefix("rds_reconciler_passes_total{")?.split_once("} "));
        counts.map(|(_, count)| Ok(count.parse::<u64>()?)).sum()
    }

    /// What it logged, line by line.
    pub(crate) fn log(&self) -> Result<Vec<Value>> {
        let path = self.process.log();
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))).collect()
    }

    /// How it is named in the Lease: by the host and its process id.
    pub(crate) fn is_named(&self, holder: &str) -> bool {
        self.process.pid().is_some_and(|pid| names(holder, pid))
    }
}

/// Whether a Lease's holder is the process with this id.
pub(crate) fn names(holder: &str, pid: u32) -> bool {
    holder.rsplit_once('-').is_some_and(|(_, found)| found == pid.to_string())
}

/// The holder of the reconcilers' Lease; empty when nobody holds it.
pub(crate) async fn leader(stack: &Stack) -> Result<String> {
    let kubectl = stack.controlplane().kubectl();
    kubectl.ok(&["get", "lease", "-n", "rds-system", "rds-reconciler", "-o", "jsonpath={.spec.holderIdentity}"]).await
}

/// A page of an admin port.
pub(crate) async fn page_of(url: &str, page: &str) -> Result<(u16, String)> {
    let answer = reqwest::get(format!("{url}/{page}")).await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

/// The value of a metric without labels.
pub(crate) async fn metric(url: &str, name: &str) -> Result<f64> {
    let (status, text) = page_of(url, "metrics").await?;
    ensure!(status == 200, "{status}: {text}");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.with_context(|| format!("no metric {name}: {text}"))?.parse()?)
}
