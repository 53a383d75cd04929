//! What is done to processes: killed, frozen, started again.

use std::{convert::Infallible, time::Duration};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use testbed::{
    eventually::eventually,
    kubelet::Prepared,
    service::Service,
    stack::{Part, Stack},
};
use tokio::time::{sleep, timeout};

use super::schedule::Away;
use crate::replica::{leader, names};

/// Between two looks of whoever starts a replica again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long to wait for an API server that may be away.
const PATIENCE: Duration = Duration::from_secs(3);

/// The replicas of the reconciler, which are started again when they end, as a kubelet does.
pub(crate) struct Replicas<'a> {
    stack: &'a Stack,
    all: Vec<Service<Prepared>>,
}

impl<'a> Replicas<'a> {
    /// Starts two in place of the stack's own.
    pub(crate) async fn start(stack: &'a Stack) -> Result<Self> {
        stack.stop_part(Part::Reconciler).await?;
        let mut all = Vec::new();
        for name in ["first-reconciler", "second-reconciler"] {
            let replica = stack.further_reconciler(name).await?.start().await?;
            replica.wait_until_ready().await?;
            all.push(replica);
        }
        Ok(Self { stack, all })
    }

    /// Starts again what has ended, for ever.
    pub(crate) async fn keep(&self) -> Infallible {
        loop {
            for replica in &self.all {
                if replica.check().await.is_err() {
                    // The next look tells whether it runs.
                    let _ = replica.restart().await;
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Kills the one that leads, or the other one.
    pub(crate) async fn kill(&self, leading: bool) -> Result<()> {
        self.one(leading).await?.kill().await
    }

    /// Stops the one that leads, or the other one, in whatever it does, and lets it go on later.
    pub(crate) async fn freeze(&self, leading: bool, lasting: Duration) -> Result<()> {
        let pid = self.one(leading).await?.pid().await.context("it does not run")?;
        let _frozen = Frozen::new(vec![pid])?;
        sleep(lasting).await;
        Ok(())
    }

    async fn one(&self, leading: bool) -> Result<&Service<Prepared>> {
        // Without an API server nobody knows who leads: then it is the first.
        let holder = timeout(PATIENCE, leader(self.stack)).await.unwrap_or(Ok(String::new())).unwrap_or_default();
        for replica in &self.all {
            if replica.pid().await.is_some_and(|pid| names(&holder, pid)) == leading {
                return Ok(replica);
            }
        }
        self.all.first().context("there are no replicas")
    }
}

/// Kills a part, and starts it again later.
pub(crate) async fn take_away(stack: &Stack, part: Away, lasting: Duration) -> Result<()> {
    let plane = stack.controlplane();
    let of_the_stack = match part {
        Away::ApiServer => {
            plane.kill_apiserver().await?;
            sleep(lasting).await;
            return plane.restart_apiserver().await;
        }
        Away::Webhook => Part::Webhook,
        Away::Cloud => Part::LocalRds,
    };
    stack.kill(of_the_stack).await?;
    sleep(lasting).await;
    eventually(&format!("the {part:?} to be back"), async || stack.restart(of_the_stack).await).await
}

/// Kills the postmaster of an instance.
pub(crate) fn kill_server(stack: &Stack, resource: &str) -> Result<()> {
    let lock = stack.dir().join("rds/instances").join(resource).join("data/postmaster.pid");
    let text = std::fs::read_to_string(&lock).with_context(|| format!("reading {}", lock.display()))?;
    let pid = text.lines().next().unwrap_or_default().parse().context("no process id")?;
    ensure!(servers(stack, resource)?.contains(&pid), "{pid} is not a server of {resource}");
    signal(pid, Signal::SIGKILL)
}

/// Stops all processes of an instance's server.
pub(crate) fn freeze_server(stack: &Stack, resource: &str) -> Result<Frozen> {
    Frozen::new(servers(stack, resource)?)
}

/// The processes that work in the data directory of an instance.
fn servers(stack: &Stack, resource: &str) -> Result<Vec<u32>> {
    let data = stack.dir().join("rds/instances").join(resource).join("data");
    let processes = std::fs::read_dir("/proc")?.flatten();
    let working =
        processes.filter(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == data));
    Ok(working.filter_map(|process| process.file_name().to_str()?.parse().ok()).collect())
}

/// Processes that stand still until this is dropped, however that comes.
pub(crate) struct Frozen(Vec<u32>);

impl Frozen {
    fn new(pids: Vec<u32>) -> Result<Self> {
        let frozen = Self(pids);
        // One that has ended meanwhile stands still by itself.
        let stopped = frozen.0.iter().filter(|pid| signal(**pid, Signal::SIGSTOP).is_ok()).count();
        ensure!(stopped > 0, "nobody was there to be stopped");
        Ok(frozen)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            // Killed while it stood still, it is no more.
            let _ = signal(*pid, Signal::SIGCONT);
        }
    }
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    Ok(kill(Pid::from_raw(i32::try_from(pid)?), signal)?)
}
