//! What runs in the Pods, as the kernel sees it: processes and control groups.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::kubectl::Kubectl;

/// A container of the operator that runs.
#[derive(Clone, Debug)]
pub struct Container {
    /// The name of its Pod.
    pub pod: String,
    /// How often kubelet has started it again.
    pub restarts: u64,
    /// Whether the one before it was killed for want of memory.
    pub starved: bool,
    /// Its first process, in this namespace of processes.
    pub pid: u32,
    /// Its control group of memory.
    group: PathBuf,
}

/// Memory of a container, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What it may have.
    pub limit: u64,
    /// The most that it ever had, with the pages of files that it has read: these are given back under pressure.
    pub peak: u64,
    /// What it has now that cannot be given back.
    pub anonymous: u64,
    /// How many of its processes were killed for want of memory.
    pub killed: u64,
}

/// The containers of a Deployment of the operator.
pub(super) async fn of(kubectl: &Kubectl, root: &Path, deployment: &str) -> Result<Vec<Container>> {
    let selector = format!("app.kubernetes.io/name={deployment}");
    let text = kubectl.ok(&["get", "pods", "-n", "rds-system", "-l", &selector, "-o", "json"]).await?;
    let list: Value = serde_json::from_str(&text)?;
    let mut found = Vec::new();
    for pod in list["items"].as_array().into_iter().flatten() {
        let status = &pod["status"]["containerStatuses"][0];
        let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        ensure!(status["state"]["running"].is_object(), "{name} does not run: {status}");
        let id = status["containerID"].as_str().unwrap_or_default();
        let id = id.rsplit_once('/').with_context(|| format!("the container {id:?}"))?.1;
        let group = folder(root, id).with_context(|| format!("{name} has no control group"))?;
        let pids = fs::read_to_string(group.join("cgroup.procs"))?;
        let pid = pids.lines().next().with_context(|| format!("{name} has no process"))?.parse()?;
        found.push(Container {
            pod: name,
            restarts: status["restartCount"].as_u64().unwrap_or_default(),
            starved: status["lastState"]["terminated"]["reason"] == "OOMKilled",
            pid,
            group,
        });
    }
    ensure!(!found.is_empty(), "{deployment} has no Pods");
    Ok(found)
}

/// The folder of this name at or below another one.
fn folder(root: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(root).ok()?.filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.is_dir())).find_map(
        |path| {
            if path.ends_with(name) { Some(path) } else { folder(&path, name) }
        },
    )
}

impl Container {
    /// What the kernel counts.
    ///
    /// # Errors
    /// When it runs no more.
    pub fn memory(&self) -> Result<Memory> {
        // Version 2 of control groups has other names.
        let (limit, peak, events, anonymous) = match self.group.join("memory.max").exists() {
            true => ("memory.max", "memory.peak", "memory.events", "anon"),
            false => ("memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control", "total_rss"),
        };
        Ok(Memory {
            limit: self.number(limit)?,
            peak: self.number(peak)?,
            anonymous: self.entry("memory.stat", anonymous)?,
            killed: self.entry(events, "oom_kill")?,
        })
    }

    /// A line of `/proc/<pid>/status`, without its name.
    ///
    /// # Errors
    /// When it runs no more, or there is no such line.
    pub fn status(&self, name: &str) -> Result<String> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(line.with_context(|| format!("no {name}"))?.trim().to_owned())
    }

    /// The options of the mount of its root.
    ///
    /// # Errors
    /// When it runs no more.
    pub fn root_mount(&self) -> Result<String> {
        let mounts = fs::read_to_string(format!("/proc/{}/mounts", self.pid))?;
        let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let root = fields.into_iter().find(|fields| fields.get(1) == Some(&"/")).context("no root is mounted")?;
        Ok(root.get(3).copied().unwrap_or_default().to_owned())
    }

    fn number(&self, file: &str) -> Result<u64> {
        let text = fs::read_to_string(self.group.join(file)).with_context(|| format!("reading {file}"))?;
        text.trim().parse().with_context(|| format!("{file} is {text:?}"))
    }

    fn entry(&self, file: &str, name: &str) -> Result<u64> {
        let text = fs::read_to_string(self.group.join(file)).with_context(|| format!("reading {file}"))?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.with_context(|| format!("{file} has no {name}"))?.trim().parse().context("no number")
    }
}
