//! Backups: continuous within 35 days, and kept copies beyond.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_rds::types::{DbSnapshot, Tag};
use libtest_mimic::Trial;
use serde_json::json;
use testbed::{eventually::eventually, stack::LocalRds};

use crate::{
    cloud,
    scene::{SETTLED, Scene},
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

/// The copies that are kept of an instance, the oldest first.
async fn copies(rds: &LocalRds, identifier: &str) -> Result<Vec<DbSnapshot>> {
    let mut found = cloud::snapshots(rds, identifier).await?;
    found.retain(|snapshot| name(snapshot).starts_with(&format!("{identifier}-kept-")));
    found.sort_by_key(|snapshot| snapshot.snapshot_create_time().map(|time| time.as_nanos()));
    Ok(found)
}

fn name(snapshot: &DbSnapshot) -> &str {
    snapshot.db_snapshot_identifier().unwrap_or_default()
}

/// An object of which copies are kept, with the first of them: the instance's identifier, and the copy's name.
async fn with_a_copy(scene: &Scene<'_>, spec: &str) -> Result<(String, String)> {
    scene.apply("orders", spec).await?;
    let identifier = scene.ready("orders").await?.text("/status/instance/identifier").to_owned();
    eventually(SETTLED, "a copy to be kept", async || {
        let database = scene.database("orders").await?;
        database.expect("CopiesKept", "True")?;
        database.expect("Ready", "True")?;
        let found = copies(scene.stack.rds(), &identifier).await?;
        let [copy] = found.as_slice() else { bail!("{found:?}") };
        ensure!(copy.status() == Some("available"), "{copy:?}");
        ensure!(database.at("/status/backups/copies") == 1, "{}", database.at("/status/backups"));
        Ok((identifier.clone(), name(copy).to_owned()))
    })
    .await
}

async fn kept(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "copies").await?;
    let spec = |days: u32| format!("{{tags: {{team: shop}}, backup: {{every: 48h, retention: {days}d}}}}");
    let (identifier, first) = with_a_copy(&scene, &spec(3)).await?;
    let found = copies(rds, &identifier).await?;
    let carries = |key: &str, value: &str| {
        let tags = found.first().map(DbSnapshot::tag_list).unwrap_or_default();
        tags.iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
    };
    for (key, value) in [("namespace", "copies"), ("name", "orders"), ("kept", "true")] {
        ensure!(carries(&format!("matrixmind.cloud/{key}"), value), "{key}: {found:?}");
    }
    ensure!(carries("team", "shop"), "{found:?}");

    // Somebody's own, and one that somebody wants to stay.
    let by_hand = format!("by-hand-{identifier}");
    let own = rds.client().create_db_snapshot().db_instance_identifier(&identifier).db_snapshot_identifier(&by_hand);
    own.tags(Tag::builder().key("matrixmind.cloud/kept").value("true").build())
        .send()
        .await
        .context("a snapshot by hand")?;
    cloud::until(rds, &identifier, "available").await?;
    rds.order(&json!({"age_snapshots": identifier, "hours": 72})).await?;
    rds.order(&json!({"instance": identifier, "fail_snapshot": true})).await?;
    // What is asked of RDS has the copies looked for at once, and not within the hour.
    scene.apply("orders", &spec(2)).await?;

    let second =
        eventually(SETTLED, "another copy in place of the one that has failed, and the first to go", async || {
            let found = copies(rds, &identifier).await?;
            let available: Vec<_> = found
                .iter()
                .filter(|copy| copy.status() == Some("available"))
                .map(|copy| name(copy).to_owned())
                .collect();
            ensure!(!available.is_empty(), "no copy is left: {found:?}");
            let [second] = available.as_slice() else { bail!("{found:?}") };
            ensure!(*second != first, "it is there still, and no other: {found:?}");
            Ok(second.clone())
        })
        .await?;
    ensure!(second.ends_with("-2"), "one was to fail before: {second}");
    scene.event("DeleteSnapshot").await?;
    let names: Vec<_> = cloud::snapshots(rds, &identifier).await?.iter().map(|found| name(found).to_owned()).collect();
    ensure!(names.contains(&by_hand) && !names.contains(&first), "{names:?}");
    scene.delete("orders").await?;
    let left = copies(rds, &identifier).await?;
    ensure!(left.iter().any(|copy| name(copy) == second), "copies stay when the object goes: {left:?}");
    Ok(())
}

async fn quota(world: &World) -> Result<()> {
    let stack = world.own_stack("quota").await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "quota").await?;
    let (identifier, first) = with_a_copy(&scene, "{backup: {every: 48h, retention: 3d}}").await?;
    rds.order(&json!({"snapshots_of_others": 9_500})).await?;
    rds.order(&json!({"age_snapshots": identifier, "hours": 72})).await?;
    scene.apply("orders", "{backup: {every: 48h, retention: 2d}}").await?;
    eventually(SETTLED, "the lack of room to be told", async || {
        let database = scene.database("orders").await?;
        let copies = database.expect("CopiesKept", "False")?;
        ensure!(copies.reason == "SnapshotQuotaNearlyFull" && copies.message.contains("higher quota"), "{copies:?}");
        database.expect("Ready", "True").map(drop)
    })
    .await?;
    let found = copies(rds, &identifier).await?;
    ensure!(found.len() == 1 && name(&found[0]) == first, "{found:?}");
    scene.delete("orders").await
}
