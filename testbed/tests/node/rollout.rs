//! Replicas of the webhook that come and go while the API server asks all the time.

use std::{sync::Arc, time::Instant};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use testbed::{
    eventually::eventually,
    load::Load,
    node::{NODE, Node, SELF_MANAGED},
    stack::{NAMESPACE, WEBHOOK},
};

use crate::{
    replicas::{replicas, rolled_out},
    world::{World, trial},
};

/// Where the load goes.
const LOADED: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: load}\n";

/// How long the drain tries for: an eviction that is refused is tried again after five seconds.
const DRAIN: &str = "--timeout=8s";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "rollout::a_restart_loses_no_request", a_restart_loses_no_request),
        trial(world, "rollout::a_drain_leaves_one_replica_that_loses_no_request", a_drain_leaves_one_replica),
    ]
}

/// Starts sending requests, once the first one was answered.
pub(crate) async fn load(node: &Node) -> Result<Load> {
    node.kubectl().apply(LOADED).await?;
    let object = "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: first, namespace: load}\n";
    eventually("admission through the webhook", async || {
        let args = ["create", "--dry-run=server", "-o", "jsonpath={.spec.version}", "-f", "-"];
        let answer = node.kubectl().run_with_input(&args, object).await?;
        ensure!(answer.success && answer.stdout == "12", "{answer:?}");
        Ok(())
    })
    .await?;
    Ok(Load::start(&node.plane().client(), "load"))
}

/// Fails where a replica ends before connections have stopped coming to it: with `--drain-delay=0s`.
async fn a_restart_loses_no_request(world: &World) -> Result<()> {
    let node = world.operator(SELF_MANAGED).await?;
    let kubectl = node.kubectl();
    let before = rolled_out(kubectl, WEBHOOK, 2).await?;
    let load = load(node).await?;
    let begun = Instant::now();
    kubectl.ok(&["rollout", "restart", "-n", NAMESPACE, "deployment/rds-webhook"]).await?;
    let after = rolled_out(kubectl, WEBHOOK, 2).await?;
    let took = begun.elapsed().as_secs_f64();
    ensure!(after.iter().all(|one| before.iter().all(|former| former.uid != one.uid)), "{after:?} were there before");
    load.stop().await?.without_failure(&format!("`kubectl rollout restart` of two replicas, {took:.1} s"))
}

/// Where there is no other node, the replacement of the first replica waits, so the budget keeps the second one. Fails without the budget.
async fn a_drain_leaves_one_replica(world: &World) -> Result<()> {
    let node = world.operator(SELF_MANAGED).await?;
    rolled_out(node.kubectl(), WEBHOOK, 2).await?;
    let load = load(node).await?;
    let drained = drained(node).await;
    // Whatever was seen: those who come after need the node.
    node.kubectl().ok(&["uncordon", NODE.name]).await?;
    let drained = drained?;
    let begun = Instant::now();
    node.works().await?;
    rolled_out(node.kubectl(), WEBHOOK, 2).await?;
    let back = begun.elapsed().as_secs_f64();
    load.stop()
        .await?
        .without_failure(&format!("a drain, given up after {drained:.1} s, and both back after {back:.1} s"))
}

/// Drains the node until it is given up; gives after how many seconds that was.
async fn drained(node: &Node) -> Result<f64> {
    let kubectl = node.kubectl();
    let begun = Instant::now();
    // Pods that nobody would start again are of trials that have ended: `--force`.
    let args = ["drain", NODE.name, "--ignore-daemonsets", "--delete-emptydir-data", "--force", DRAIN];
    let drain = kubectl.run(&args).await?;
    let took = begun.elapsed().as_secs_f64();
    ensure!(!drain.success && drain.stderr.contains("disruption budget"), "the drain was not refused: {drain:?}");
    eventually("one replica that serves, and one that waits for a node", async || {
        let found = replicas(kubectl, WEBHOOK).await?;
        let (serving, waiting): (Vec<_>, Vec<_>) = found.iter().partition(|one| one.ready && !one.ending);
        ensure!(serving.len() == 1 && waiting.len() == 1, "{found:?}");
        let why = waiting[0].unplaced.as_deref().unwrap_or_default();
        ensure!(why.contains("unschedulable"), "{} waits because of {why:?}", waiting[0].name);
        Ok(())
    })
    .await?;
    let alone = load(node).await?;
    alone.sent(200).await?;
    alone.stop().await?.without_failure("one replica alone")?;
    Ok(took)
}
