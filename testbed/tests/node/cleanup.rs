//! What a node leaves behind, also when it is killed: nothing.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use testbed::{
    eventually::{eventually, eventually_within},
    node::{self, SELF_MANAGED},
};

use crate::world::{World, trial};

/// Set for the run that is killed: it does nothing but have a node.
const STAYS_UP: &str = "NODE_STAYS_UP";

/// From the start to a node that takes Pods, on a busy machine.
const UP: Duration = Duration::from_mins(5);

/// Kills a run of this very program when its node is up, and looks at the machine before and after. Runs outside of all namespaces.
pub(crate) async fn a_killed_node_leaves_nothing() -> Result<()> {
    let before = traces("")?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--include-ignored")
        .env(STAYS_UP, "yes")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("a second run")?;
    let group = format!("{}{}", node::CGROUP, child.id());
    let traces = || traces(&group);
    eventually_within(UP, "Pods of a node", async || {
        if let Some(status) = child.try_wait()? {
            bail!("it ended: {status}");
        }
        let now = traces()?;
        ensure!(now.iter().any(|trace| trace.contains(&group) && trace.contains("/pod")), "none");
        Ok(())
    })
    .await?;
    kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGKILL)?;
    child.wait()?;
    // What only the next start can remove.
    let next = async || {
        node::sweep().await?;
        let left: Vec<String> = traces()?.difference(&before).cloned().collect();
        ensure!(left.is_empty(), "{left:#?}");
        Ok(())
    };
    eventually("nothing of a killed node", next).await
}

/// Has the node up until it is killed, in the run that is for that.
pub(crate) fn staying(world: &Arc<World>) -> Option<Trial> {
    std::env::var_os(STAYS_UP)?;
    Some(trial(world, "stays_up", async |world| {
        world.operator(SELF_MANAGED).await?;
        std::future::pending().await
    }))
}

/// Everything of a machine that a node could change: links, tables of packet filters, mounts, control groups of that name, sockets, and whether
/// it forwards.
fn traces(group: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for (program, arguments) in [
        ("ip", &["-oneline", "link"][..]),
        ("nft", &["list", "tables"]),
        ("iptables-save", &[]),
        ("ipset", &["list", "-name"]),
    ] {
        let output = Command::new(program).args(arguments).output().with_context(|| format!("running {program}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // iptables-save says when it was run.
        found.extend(text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{program}: {line}")));
    }
    for file in ["/proc/self/mountinfo", "/proc/sys/net/ipv4/ip_forward"] {
        found.extend(fs::read_to_string(file)?.lines().map(|line| format!("{file}: {line}")));
    }
    found.extend(node::control_groups(group)?.into_iter().map(|path| path.display().to_string()));
    for folder in ["/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log/pods", "/var/log/containers", "/tmp"] {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        found.extend(
            names
                .filter(|name| folder != "/tmp" || name.starts_with("rds-testbed-node"))
                .map(|name| format!("{folder}/{name}")),
        );
    }
    Ok(found)
}
