//! The life of one fleet: made, changed, at rest, and twice under a reconciler that was started anew.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use testbed::stack::{Part, Stack};
use tokio::time::sleep;

use super::account::{Cost, Mark};
use super::object::{self, Fleet};
use crate::report::progress;

/// The reconciler looks often for 90 s after the last change that it made. What that costs is a cost of the change.
const CALM: Duration = Duration::from_secs(100);
/// What a start has under way when all objects are observed is over by then.
const AFTERWARDS: Duration = Duration::from_secs(20);
/// Between two looks at the metrics of a reconciler that was started anew.
const LOOK: Duration = Duration::from_millis(50);
/// The longest for a stage, and for each object in it.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(1200), Duration::from_secs(2));

/// What was measured.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) objects: usize,
    pub(super) time_scale: f64,
    /// Until all instances were there, and all costs of it until the reconciler was at rest again.
    pub(super) creation: (Duration, Cost),
    /// The same for a change of each object.
    pub(super) change: (Duration, Cost),
    pub(super) rest: Cost,
    /// A start with an account that nobody else uses, and one with an account whose calls others have used up.
    pub(super) restarts: [Restart; 2],
}

/// A start of the reconciler, under the limit on calls.
#[derive(Debug)]
pub(super) struct Restart {
    /// What of the burst was left.
    pub(super) tokens: u16,
    /// From before the process was started until it had observed all objects.
    pub(super) observed: Duration,
    /// What it cost until a little later.
    pub(super) cost: Cost,
    /// How many of its calls were refused for their rate.
    pub(super) throttled: u64,
}

impl Life {
    /// Lives it.
    pub(super) async fn live(stack: &Stack, objects: usize, time_scale: f64, rest: u64) -> Result<Self> {
        let fleet = Fleet::prepare(stack.controlplane().client(), objects).await?;
        let mark = Mark::now(stack).await?;
        fleet.create().await?;
        let creation = settled(stack, &fleet, &mark, 7, "created").await?;
        let mark = Mark::now(stack).await?;
        fleet.keep_backups_for(8).await?;
        let change = settled(stack, &fleet, &mark, 8, "changed").await?;

        let mark = Mark::now(stack).await?;
        sleep(Duration::from_secs(rest)).await;
        let rest = mark.cost(stack).await?;
        progress(&format!("at rest: {} calls in {:?}, {:?} of CPU time", rest.total(), rest.took, rest.cpu));
        let restarts = [restart(stack, objects, 300).await?, restart(stack, objects, 0).await?];
        Ok(Self { objects, time_scale, creation, change, rest, restarts })
    }
}

/// Waits until all objects are as declared, as far as the cloud goes, and the reconciler is at rest.
async fn settled(stack: &Stack, fleet: &Fleet, mark: &Mark, days: i64, what: &str) -> Result<(Duration, Cost)> {
    let began = Instant::now();
    let limit = PATIENCE.0 + PATIENCE.1 * u32::try_from(fleet.objects)?;
    // A look reads all of them.
    let pause = Duration::from_secs(1) + Duration::from_millis(1) * u32::try_from(fleet.objects)?;
    loop {
        let (settled, example) = fleet.settled(days).await?;
        if settled == fleet.objects {
            break;
        }
        ensure!(
            began.elapsed() < limit,
            "only {settled} objects are {what} after {limit:?}; of another one: {example}"
        );
        sleep(pause).await;
    }
    let took = mark.cost(stack).await?.took;
    sleep(CALM).await;
    let cost = mark.cost(stack).await?;
    progress(&format!("{what} after {took:?}: {:?}, {:?} of CPU time, {:?}", cost.calls, cost.cpu, cost.memory));
    Ok((took, cost))
}

async fn restart(stack: &Stack, objects: usize, tokens: u16) -> Result<Restart> {
    stack.stop_part(Part::Reconciler).await?;
    stack.rds().order(&json!({"tokens": tokens})).await?;
    let before = stack.rds().counters().await?.calls;
    let began = Instant::now();
    let limit = PATIENCE.0;
    stack.restart(Part::Reconciler).await?;
    let metrics = format!("{}/metrics", stack.reconciler_admin());
    let page = loop {
        let page = reqwest::get(&metrics).await?.text().await?;
        let observed = value(&page, "rds_reconciler_objects_observed ").unwrap_or_default();
        if observed == object::as_u64(objects) {
            break page;
        }
        ensure!(began.elapsed() < limit, "only {observed} objects are observed after {limit:?}");
        sleep(LOOK).await;
    };
    let observed = began.elapsed();
    sleep(AFTERWARDS).await;
    let mark = Mark::of_process(stack, before, began).await?;
    let cost = mark.cost(stack).await?;
    let throttled = throttled(&reqwest::get(&metrics).await?.text().await.unwrap_or(page));
    stack.rds().order(&json!({"tokens": null})).await?;
    progress(&format!(
        "started anew with {tokens} calls left: all observed after {observed:?}, {:?}, {throttled} throttled",
        cost.calls
    ));
    Ok(Restart { tokens, observed, cost, throttled })
}

/// The value of a sample whose line begins so.
fn value(page: &str, name: &str) -> Option<u64> {
    page.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}

/// Calls that were refused for their rate.
fn throttled(page: &str) -> u64 {
    let calls = page.lines().filter(|line| line.starts_with("rds_reconciler_cloud_calls_total{"));
    calls
        .filter(|line| line.contains("result=\"Throttling"))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_found() {
        let page = "# HELP x y\nrds_reconciler_objects_observed 12\n\
            rds_reconciler_cloud_calls_total{action=\"DescribeDBInstances\",result=\"ok\"} 4\n\
            rds_reconciler_cloud_calls_total{action=\"DescribeDBInstances\",result=\"ThrottlingException\"} 3\n";
        assert_eq!(value(page, "rds_reconciler_objects_observed "), Some(12));
        assert_eq!(throttled(page), 3);
    }
}
