//! Several replicas of the reconciler: one leads, and another takes over, whether it leaves politely or not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use testbed::{eventually::eventually, stack::Part};

use crate::{
    replica::{Replica, leader, metric, names},
    scene::Scene,
    world::{World, trial},
};

/// How long a Lease holds without being renewed: who must wait for its end waits longer, who is given it does not.
const LEASE: Duration = Duration::from_secs(15);

const LEADING: &str = "rds_reconciler_leader";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "leadership::i11_another_replica_takes_over", another_replica_takes_over)]
}

async fn another_replica_takes_over(world: &World) -> Result<()> {
    let stack = world.own_stack("leadership").await?;
    let scene = Scene::new(&stack, "led").await?;
    let first = stack.pid(Part::Reconciler).await.context("the reconciler does not run")?;
    eventually("the first replica to lead", async || {
        let holder = leader(&stack).await?;
        ensure!(names(&holder, first), "{holder:?} leads");
        Ok(())
    })
    .await?;

    let mut second = Replica::start(&stack, "second-reconciler", |spec| spec).await?;
    eventually("the second replica to be ready to take over", async || {
        let (status, text) = second.get("readyz").await?;
        ensure!(status == 200, "{status} {text}");
        Ok(())
    })
    .await?;
    scene.apply("before", "{}").await?;
    scene.ready("before").await?;
    ensure!(metric(stack.reconciler_admin(), LEADING).await? > 0.5, "the first replica does not lead");
    ensure!(metric(second.url(), LEADING).await? < 0.5, "both lead");
    ensure!(second.passes().await? == 0, "the second replica works though it does not lead");

    // A rollout: the first is asked to go in the middle of a creation and gives the Lease back.
    scene.apply("rollout", "{users: {app: []}, databases: {orders: [app]}}").await?;
    let asked = Instant::now();
    stack.stop_part(Part::Reconciler).await?;
    led_by(&stack, &second).await?;
    let took = asked.elapsed();
    ensure!(took < LEASE, "it took {took:?} to take over a Lease that was given back");
    scene.ready("rollout").await?;

    // A crash: the second is killed, and its Lease has to run out.
    stack.restart(Part::Reconciler).await?;
    scene.apply("crash", "{users: {app: []}, databases: {orders: [app]}}").await?;
    second.process.kill().await?;
    let first = stack.pid(Part::Reconciler).await.context("the reconciler does not run")?;
    eventually("the first replica to lead again", async || {
        let holder = leader(&stack).await?;
        ensure!(names(&holder, first), "{holder:?} leads");
        Ok(())
    })
    .await?;
    scene.ready("crash").await?;
    ensure!(scene.instances().await?.len() == 3, "wanted an instance for each: {:?}", scene.instances().await?);

    // One that only stands by has nothing to finish: it leaves at once, and the leader stays.
    let mut third = Replica::start(&stack, "third-reconciler", |spec| spec).await?;
    let asked = Instant::now();
    let status = third.process.stop(Duration::from_secs(30)).await?.context("it had ended before")?;
    let took = asked.elapsed();
    ensure!(status.success() && took < Duration::from_secs(5), "standing by, it ended after {took:?}: {status}");
    let holder = leader(&stack).await?;
    ensure!(names(&holder, first), "{holder:?} leads");
    Ok(())
}

async fn led_by(stack: &testbed::stack::Stack, replica: &Replica) -> Result<()> {
    eventually("the second replica to lead", async || {
        let holder = leader(stack).await?;
        ensure!(replica.is_named(&holder), "{holder:?} leads");
        Ok(())
    })
    .await
}
