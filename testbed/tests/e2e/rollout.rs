//! Replicas of the webhook that come and go while the API server asks all the time.

use std::{sync::Arc, time::Instant};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use testbed::eventually::eventually;

use crate::{
    admission::PROPAGATION,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "rollout::loses_no_request", loses_no_request),
        trial(world, "rollout::a_replica_that_does_not_wait_loses_requests", a_hasty_replica_loses_requests),
        trial(world, "rollout::a_crash_is_survived_by_the_other_replica", a_crash_is_survived),
    ]
}

/// A whole rollout as the Deployment asks for it (`maxSurge: 1`, `maxUnavailable: 0`), each replica with the shipped drain delay.
async fn loses_no_request(world: &World) -> Result<()> {
    let mut admission = world.admission().await?;
    let load = admission.load();
    for _ in 0..admission.replicas.len() {
        admission.add().await?;
        admission.ready().await?;
        let told = Instant::now();
        admission.delete_oldest().await?;
        let took = told.elapsed();
        ensure!(took > PROPAGATION, "it ended after {took:?}, when connections still came: this shows nothing");
    }
    load.stop().await?.without_failure("a rollout of two replicas")
}

/// The same without a drain delay: that requests fail is what shows that the others are counted rightly.
async fn a_hasty_replica_loses_requests(world: &World) -> Result<()> {
    let mut admission = world.admission().await?;
    let hasty = admission.pod().clone().set_flag("--drain-delay", "0s")?;
    admission.add_as(&hasty).await?;
    admission.ready().await?;
    // The one that is left beside the hasty one serves on.
    admission.delete_oldest().await?;
    admission.replicas.rotate_right(1);
    let load = admission.load();
    load.sent(60).await?;
    admission.delete_oldest().await?;
    eventually("failures, while connections are led to a replica that is gone", async || {
        ensure!(load.failed() > 0, "none");
        Ok(())
    })
    .await?;
    load.stop().await?;
    Ok(())
}

/// Requests fail for as long as nobody has noticed, and no longer.
async fn a_crash_is_survived(world: &World) -> Result<()> {
    let mut admission = world.admission().await?;
    let load = admission.load();
    let dead = admission.kill_oldest().await?;
    eventually("connections to be led elsewhere", async || {
        ensure!(!admission.is_led_to(&dead), "not yet");
        Ok(())
    })
    .await?;
    let report = load.stop().await?;
    ensure!(report.failed > 0, "{} requests, and none was lost with the replica: is the load counted?", report.sent);
    let load = admission.load();
    load.sent(200).await?;
    load.stop().await?.without_failure("one replica after the other's crash")
}
