//! How long databases are left alone when the reconciler's leader goes, with and without a second replica.

use std::{
    fs,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use testbed::{
    eventually::eventually,
    kubectl::Kubectl,
    node::{Node, SELF_MANAGED},
    resource::Database,
    stack::NAMESPACE,
};

use crate::{
    replicas::{Replica, replicas, rolled_out},
    world::{World, trial},
};

const RECONCILER: &str = "rds-reconciler";

const ADMIN: u16 = 8080;

/// Where the databases are that are created meanwhile.
const LED: &str = "led";

/// How long a Lease holds without being renewed: who must wait for its end waits longer, who is given it does not.
const LEASE: Duration = Duration::from_secs(15);

/// The leader stops acting so long after its last renewal, which is two seconds old at most. Nobody may lead before.
const FENCE: Duration = Duration::from_secs(10);

/// How the leader goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// Its Pod is deleted.
    Deleted,
    /// Its node is lost, or so it seems: it stands still, and its Pod is deleted by force.
    Lost,
    /// Its process is killed, and kubelet starts it again.
    Killed,
}

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "leadership::another_pod_takes_over", another_pod_takes_over)]
}

/// Fails where the Lease is not given back by who is asked to go, or is taken from who may still act.
async fn another_pod_takes_over(world: &World) -> Result<()> {
    let node = world.operator(SELF_MANAGED).await?;
    let kubectl = node.kubectl();
    kubectl.apply(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {LED}}}\n")).await?;
    for (wanted, ends) in [(2, &[End::Deleted, End::Lost][..]), (1, &[End::Deleted, End::Lost, End::Killed][..])] {
        kubectl.ok(&["scale", "deployment", "-n", NAMESPACE, RECONCILER, &format!("--replicas={wanted}")]).await?;
        for end in ends {
            succeed(node, wanted, *end).await?;
        }
    }
    kubectl.ok(&["delete", "namespace", LED, "--wait=false"]).await?;
    Ok(())
}

/// Takes the leader away, and measures until another one leads, and until it has worked on a database that is created meanwhile.
async fn succeed(node: &Node, wanted: usize, end: End) -> Result<()> {
    let kubectl = node.kubectl();
    rolled_out(kubectl, RECONCILER, wanted).await?;
    let leader = eventually("a leader", async || leader(kubectl).await).await?;
    let process = process_of(&leader)?;

    let begun = Instant::now();
    match end {
        End::Deleted => {
            kubectl.ok(&["delete", "pod", "-n", NAMESPACE, &leader.name, "--wait=false"]).await?;
        }
        End::Lost => {
            kill(process, Signal::SIGSTOP)?;
            kubectl.ok(&["delete", "pod", "-n", NAMESPACE, &leader.name, "--force", "--grace-period=0"]).await?;
        }
        End::Killed => kill(process, Signal::SIGKILL)?,
    }
    let name = format!("{end:?}-{wanted}").to_lowercase();
    kubectl.apply(&database(&name)).await?;
    let successor = async || {
        let now = self::leader(kubectl).await?;
        // Started again in its Pod it has the name of the former one in the Lease.
        ensure!(process_of(&now)? != process, "{} still leads", now.name);
        Ok((now, begun.elapsed()))
    };
    let (_, led) = eventually("another leader", successor).await?;
    let worked = eventually("a database that the new leader has worked on", async || {
        let database = Database::existing(node.plane().client(), LED, &name).await?;
        // An object is born with a status that speaks of no generation.
        let (observed, present) = (database.at("/status/observedGeneration"), database.at("/metadata/generation"));
        ensure!(observed == present, "status of generation {observed}, not yet {present}");
        // What the former one may have written before it went does not count.
        let (now, _) = successor().await?;
        let passes = passes(&now).await?;
        ensure!(passes > 0, "{} has made no pass", now.name);
        Ok(begun.elapsed())
    })
    .await?;
    if end == End::Lost {
        // It would wake up to a Lease that is not its own; kubelet ends it after its grace at the latest.
        match kill(process, Signal::SIGKILL) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => bail!("ending what stood still: {error}"),
        }
    }

    let (led, worked) = (led.as_secs_f64(), worked.as_secs_f64());
    let what = format!("replicas: {wanted}, the leader {end:?}");
    writeln!(std::io::stderr(), "{what}: the next one leads after {led:.1} s, and has worked after {worked:.1} s")?;
    match end {
        End::Deleted | End::Killed => ensure!(led < LEASE.as_secs_f64(), "{what}: its Lease was waited for"),
        End::Lost => ensure!(led > FENCE.as_secs_f64(), "{what}: its Lease was taken while it could still act"),
    }
    // The next leader that goes shall have no pass under way: it would finish it first, for up to 20 s.
    kubectl.ok(&["wait", "rds", "-n", LED, &name, "--for=condition=Ready", "--timeout=170s"]).await?;
    Ok(())
}

/// The replica that holds the Lease.
async fn leader(kubectl: &Kubectl) -> Result<Replica> {
    let path = "jsonpath={.spec.holderIdentity}";
    let holder = kubectl.ok(&["get", "lease", "-n", NAMESPACE, RECONCILER, "-o", path]).await?;
    let found = replicas(kubectl, RECONCILER).await?.into_iter();
    // It is named by its Pod and its process id.
    let mut found = found.filter(|one| holder.rsplit_once('-').is_some_and(|(pod, _)| pod == one.name));
    found.next().with_context(|| format!("{holder:?} leads"))
}

/// How many passes over databases a replica has made.
async fn passes(replica: &Replica) -> Result<u64> {
    let text = reqwest::get(format!("http://{}/metrics", replica.at(ADMIN)?)).await?.text().await?;
    let counts = text.lines().filter_map(|line| line.strip_prefix("rds_reconciler_passes_total{")?.split_once("} "));
    counts.map(|(_, count)| Ok(count.parse::<u64>()?)).sum()
}

/// The process of a replica: the one of the program's name in the control group of its Pod.
fn process_of(replica: &Replica) -> Result<Pid> {
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(id) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
        // Processes end while they are looked at.
        let read = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
        if read("comm").trim() == RECONCILER && read("cgroup").contains(&replica.uid) {
            return Ok(Pid::from_raw(id));
        }
    }
    bail!("{} has no process", replica.name)
}

fn database(name: &str) -> String {
    format!(
        "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {{name: {name}, namespace: {LED}}}\nspec: {{}}\n"
    )
}
