//! What people do to an instance from outside: the object says it soon, and loses nothing by it.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;
use shared::names::{self, InstanceIdentifier};
use sqlx::{Connection as _, Executor as _};
use testbed::{eventually::eventually, stack::LocalRds};

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "outside::what_lost_its_tags_and_was_stopped_is_told_soon", untagged_and_stopped),
        trial(world, "outside::i3_a_final_snapshot_whose_name_is_taken_gets_another", taken),
        trial(world, "outside::i2_what_people_make_of_an_instance_is_told_and_stays", switched_over_and_replicated),
    ]
}

async fn untagged_and_stopped(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "untagged").await?;
    scene.apply("plain", "{}").await?;
    let database = scene.ready("plain").await?;
    let identifier = database.text("/status/instance/identifier");
    let instance = cloud::existing(rds, identifier).await?;
    let arn = instance.db_instance_arn().context("no ARN")?;
    let tags = instance.tag_list().to_vec();
    let keys = tags.iter().filter_map(|tag| tag.key().map(str::to_owned)).collect();
    rds.client().remove_tags_from_resource().resource_name(arn).set_tag_keys(Some(keys)).send().await?;
    rds.client().stop_db_instance().db_instance_identifier(identifier).send().await?;
    let told = eventually("the object to say that its instance has lost its tags", async || {
        scene.database("plain").await?.expect("InstanceReady", "False")
    })
    .await?;
    ensure!(told.reason == "TagsMissing" && told.message.contains("add-tags-to-resource"), "{told:?}");
    ensure!(!told.message.contains("rename"), "{told:?}");

    cloud::until(rds, identifier, "stopped").await?;
    rds.client().add_tags_to_resource().resource_name(arn).set_tags(Some(tags)).send().await?;
    eventually("the object to say that its instance is stopped", async || {
        let told = scene.database("plain").await?.expect("InstanceReady", "False")?;
        ensure!(told.reason == "InstanceStuck" && told.message.contains("start the instance"), "{told:?}");
        scene.database("plain").await?.expect("AccessVerified", "False").map(drop)
    })
    .await?;
    rds.client().start_db_instance().db_instance_identifier(identifier).send().await?;
    eventually("the object to be Ready again", async || {
        scene.database("plain").await?.expect("Ready", "True").map(drop)
    })
    .await?;
    scene.delete("plain").await
}

async fn taken(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "taken").await?;
    scene.apply("leaving", "{}").await?;
    scene.apply("staying", "{}").await?;
    let database = scene.ready("leaving").await?;
    let other = scene.ready("staying").await?.text("/status/instance/identifier").to_owned();
    let identifier: InstanceIdentifier = database.text("/status/instance/identifier").parse()?;
    let resource = database.text("/status/instance/resourceId").to_owned();
    let wanted = names::final_snapshots(&identifier, database.text("/metadata/uid"), &resource).next();
    let wanted = wanted.context("there is no end of names")?;
    let create = rds.client().create_db_snapshot().db_instance_identifier(&other).db_snapshot_identifier(&wanted);
    create.send().await?;
    available(rds, &other).await?;

    scene.delete("leaving").await?;
    let snapshots = cloud::snapshots(rds, identifier.as_str()).await?;
    let [made] = snapshots.as_slice() else { anyhow::bail!("wanted one snapshot of {identifier}: {snapshots:?}") };
    ensure!(made.db_snapshot_identifier() == Some(&format!("{wanted}-2")), "it is called {made:?}");
    ensure!(made.dbi_resource_id() == Some(&resource), "it is of another instance: {made:?}");
    ensure!(made.status() == Some("available"), "{made:?}");
    ensure!(cloud::snapshots(rds, &other).await?.len() == 1, "the one that had the name has gone");
    scene.delete("staying").await
}

async fn switched_over_and_replicated(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "switched").await?;
    scene.apply("books", "{users: {app: []}, databases: {data: [app]}}").await?;
    let identifier = scene.ready("books").await?.text("/status/instance/identifier").to_owned();
    cloud::until(rds, &identifier, "available").await?;
    let mut session = scene.connect("books", "app").await?;
    session.execute("CREATE TABLE entry (words text)").await?;
    session.execute("INSERT INTO entry VALUES ('before')").await?;

    rds.order(&json!({"switch_over": identifier})).await?;
    let former = format!("{identifier}-old1");
    let told = eventually("the switchover to be told", async || {
        let told = scene.database("books").await?.expect("InstanceReady", "False")?;
        ensure!(told.reason == "InstanceReplaced", "{told:?}");
        Ok(told.message)
    })
    .await?;
    ensure!(told.contains(&former) && told.contains("nothing is lost"), "{told}");
    let now = cloud::until(rds, &identifier, "available").await?;
    let accept = format!("matrixmind.cloud/accept-instance={}", now.dbi_resource_id().context("it has an id")?);
    scene.ok(&["annotate", "rds", "books", &accept]).await?;
    eventually("the new instance to be taken up", async || {
        scene.database("books").await?.expect("Ready", "True").map(drop)
    })
    .await?;
    let mut session = scene.connect("books", "app").await?;
    session.execute("INSERT INTO entry SELECT 'after ' || words FROM entry").await?;
    session.close().await?;

    let replica = format!("{identifier}-reports");
    let replicate = rds.client().create_db_instance_read_replica().db_instance_identifier(&replica);
    replicate.source_db_instance_identifier(&identifier).send().await?;
    cloud::until(rds, &replica, "available").await?;
    scene.ok(&["delete", "rds", "books", "--wait=false"]).await?;
    eventually("what stays to be told", async || {
        let deletion = scene.database("books").await?.expect("Deleted", "False")?;
        ensure!(deletion.message.contains(&replica), "{deletion:?}");
        Ok(())
    })
    .await?;
    scene.gone("books").await?;
    cloud::final_snapshot(rds, &identifier).await?;
    for left in [&replica, &former] {
        cloud::until(rds, left, "available").await?;
        cloud::discard(rds, left).await?;
    }
    Ok(())
}

async fn available(rds: &LocalRds, identifier: &str) -> Result<()> {
    eventually(&format!("the snapshot of {identifier}"), async || {
        let snapshots = cloud::snapshots(rds, identifier).await?;
        ensure!(snapshots.iter().all(|snapshot| snapshot.status() == Some("available")), "{snapshots:?}");
        Ok(())
    })
    .await
}
