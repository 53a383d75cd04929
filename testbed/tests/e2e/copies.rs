//! Backups: continuous within 35 days, and kept copies beyond.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use aws_sdk_rds::types::{DbSnapshot, Tag};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use serde_json::json;
use testbed::{eventually::eventually, stack::LocalRds};

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "copies::any_interval_up_to_a_day_is_met_without_one", continuous),
        trial(world, "copies::i3_an_old_one_goes_when_a_newer_one_is_there", kept),
        trial(world, "copies::i13_the_last_tenth_of_the_quota_is_left_to_others", quota),
    ]
}

async fn continuous(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "continuous").await?;
    let applied = scene.apply("orders", "{version: \"18\", size: 20Gi, backup: {every: 6h, retention: 14d}}").await?;
    ensure!(!applied.stderr.contains("spec.backup"), "{}", applied.stderr);
    let database = scene.ready("orders").await?;
    let backups = database.expect("BackupsReady", "True")?;
    ensure!(
        backups.message == "backups are continuous: every moment of the last 14 days can be restored",
        "{backups:?}"
    );
    ensure!(database.expect("CopiesKept", "True").is_err(), "no copy is asked for: {:?}", database.conditions());
    ensure!(database.at("/status/backups/retentionDays") == 14, "{}", database.at("/status/backups"));
    for absent in ["notScheduled", "copies", "last", "next"] {
        let told = database.at("/status/backups").get(absent);
        ensure!(told.is_none_or(serde_json::Value::is_null), "{absent}: {}", database.at("/status/backups"));
    }
    let identifier = database.text("/status/instance/identifier");
    let snapshots = cloud::snapshots(stack.rds(), identifier).await?;
    ensure!(snapshots.is_empty(), "{snapshots:?}");
    scene.delete("orders").await
}

/// The snapshots of an instance that have the name of a copy.
async fn copies(rds: &LocalRds, identifier: &str) -> Result<Vec<DbSnapshot>> {
    let mut found = cloud::snapshots(rds, identifier).await?;
    found.retain(|snapshot| name(snapshot).starts_with(&format!("{identifier}-kept-")));
    Ok(found)
}

fn name(snapshot: &DbSnapshot) -> &str {
    snapshot.db_snapshot_identifier().unwrap_or_default()
}

async fn kept(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "copies").await?;
    scene.apply("orders", "{tags: {team: shop}}").await?;
    let identifier = scene.ready("orders").await?.text("/status/instance/identifier").to_owned();

    // What an operator has kept five days ago; and what somebody has made by hand, and called the same.
    let then = Timestamp::now() - SignedDuration::from_hours(5 * 24);
    let first = format!("{identifier}-kept-{}", then.strftime("%Y%m%d-%H%M"));
    let by_hand = format!("{identifier}-kept-by-hand");
    let tags = cloud::existing(rds, &identifier).await?.tag_list().to_vec();
    let kept = Tag::builder().key("matrixmind.cloud/kept").value("true").build();
    for snapshot in [&first, &by_hand] {
        let call =
            rds.client().create_db_snapshot().db_instance_identifier(&identifier).db_snapshot_identifier(snapshot);
        let call = call.set_tags(Some([tags.clone(), vec![kept.clone()]].concat()));
        call.send().await.with_context(|| format!("making {snapshot}"))?;
        cloud::until(rds, &identifier, "available").await?;
    }
    rds.order(&json!({"age_snapshots": identifier, "hours": 5 * 24})).await?;
    rds.order(&json!({"instance": identifier, "fail_snapshot": true})).await?;
    let applied = scene.apply("orders", "{tags: {team: shop}, backup: {every: 48h, retention: 3d}}").await?;
    ensure!(applied.stderr.contains("spec.backup.every: keeps up to 2 snapshots for 3d"), "{}", applied.stderr);

    let second = eventually("another copy after the one that failed, and the first to go", async || {
        let database = scene.database("orders").await?;
        let found = copies(rds, &identifier).await?;
        let available = found.iter().filter(|copy| copy.status() == Some("available")).map(name);
        let available: Vec<_> = available.filter(|copy| *copy != by_hand).collect();
        ensure!(!available.is_empty(), "no copy is left: {found:?}");
        let second = available.iter().find(|copy| **copy != first).with_context(|| format!("{found:?}"))?;
        ensure!(!available.contains(&first.as_str()), "the first is there still: {available:?}");
        database.expect("CopiesKept", "True")?;
        database.expect("Ready", "True")?;
        ensure!(database.at("/status/backups/copies") == 1, "{}", database.at("/status/backups"));
        Ok((*second).to_owned())
    })
    .await?;
    ensure!(second.ends_with("-2"), "one was to fail before: {second}");
    scene.event("DeleteSnapshot").await?;
    let all = cloud::snapshots(rds, &identifier).await?;
    ensure!(all.iter().any(|snapshot| name(snapshot) == by_hand), "{all:?}");
    let copy = all.iter().find(|snapshot| name(snapshot) == second).context("the copy is gone")?;
    for (key, value) in [
        ("team", "shop"),
        ("matrixmind.cloud/name", "orders"),
        ("matrixmind.cloud/namespace", "copies"),
        ("matrixmind.cloud/kept", "true"),
    ] {
        let carried = copy.tag_list().iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value));
        ensure!(carried, "{key}: {copy:?}");
    }
    scene.delete("orders").await?;
    let left = copies(rds, &identifier).await?;
    ensure!(left.iter().any(|copy| name(copy) == second), "copies stay when the object goes: {left:?}");
    Ok(())
}

async fn quota(world: &World) -> Result<()> {
    let stack = world.own_stack("quota").await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "quota").await?;
    scene.apply("orders", "{}").await?;
    let identifier = scene.ready("orders").await?.text("/status/instance/identifier").to_owned();
    rds.order(&json!({"snapshots_of_others": 9_500})).await?;
    scene.apply("orders", "{backup: {every: 2w, retention: 90d}}").await?;
    let database = eventually("the lack of room to be told", async || {
        let database = scene.database("orders").await?;
        let copies = database.expect("CopiesKept", "False")?;
        ensure!(copies.reason == "SnapshotQuotaNearlyFull" && copies.message.contains("higher quota"), "{copies:?}");
        database.expect("BackupsReady", "True")?;
        database.expect("Ready", "True")?;
        Ok(database)
    })
    .await?;
    ensure!(database.at("/status/backups/retentionDays") == 35, "{}", database.at("/status/backups"));
    let found = copies(rds, &identifier).await?;
    ensure!(found.is_empty(), "{found:?}");
    let calls = rds.counters().await?.calls;
    ensure!(calls.get("DescribeAccountAttributes") == Some(&1), "it is asked for once: {calls:?}");
    scene.delete("orders").await
}
