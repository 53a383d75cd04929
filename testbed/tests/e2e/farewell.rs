//! How a database ends: nothing is lost that was not given up in so many words.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;
use sqlx::{Connection as _, Executor as _};
use testbed::{eventually::eventually, sql::Login};

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "farewell::i3_the_last_row_is_in_the_final_snapshot", i3_the_last_row_is_in_the_final_snapshot),
        trial(world, "farewell::i3_protection_holds_until_it_is_taken_away", i3_protection_holds),
        trial(world, "farewell::i3_deleted_before_it_was_ready_it_leaves_a_snapshot", i3_deleted_before_it_was_ready),
        trial(world, "farewell::i3_a_namespace_takes_its_databases_along", i3_a_namespace_takes_its_databases_along),
        trial(world, "farewell::deletion_policy_delete_leaves_nothing", deletion_policy_delete_leaves_nothing),
        trial(world, "farewell::i1_a_retained_instance_waits_to_be_taken_up", i1_a_retained_instance_waits),
    ]
}

async fn i3_the_last_row_is_in_the_final_snapshot(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "farewell").await?;
    let spec = "{users: {app: []}, databases: {letters: [app]}}";
    scene.apply("dear", spec).await?;
    let first = scene.ready("dear").await?;
    let identifier = first.text("/status/instance/identifier").to_owned();
    let logins = [scene.login("dear", "app").await?, scene.login("dear", "master").await?];
    let mut session = scene.connect("dear", "app").await?;
    session.execute("CREATE TABLE letter (words text)").await?;
    session.execute("INSERT INTO letter VALUES ('goodbye')").await?;
    scene.delete("dear").await?;

    // The object is gone only when all of this is so.
    let snapshot = cloud::final_snapshot(rds, &identifier).await?;
    ensure!(snapshot.starts_with(&format!("{identifier}-final-")), "the final snapshot is called {snapshot}");
    ensure!(cloud::instance(rds, &identifier).await?.is_none(), "the instance is still there");
    ensure!(scene.names("services").await?.is_empty(), "Services stayed: {:?}", scene.names("services").await?);
    let alias =
        scene.kubectl().ok(&["get", "service", "-n", "rds", "dear", "--ignore-not-found", "-o", "name"]).await?;
    ensure!(alias.is_empty(), "the alias stayed");
    let secrets = BTreeSet::from(["dear.rds.app", "dear.rds.master"].map(str::to_owned));
    ensure!(scene.names("secrets").await? == secrets, "the Secrets are {:?}", scene.names("secrets").await?);

    let words = restored(&scene, &snapshot, scene.login("dear", "app").await?).await?;
    ensure!(words == ["goodbye"], "the snapshot holds {words:?}");

    scene.apply("dear", spec).await?;
    let second = scene.ready("dear").await?;
    ensure!(
        second.text("/status/instance/identifier") == identifier,
        "another name: {:?}",
        second.at("/status/instance")
    );
    let resource = |database: &testbed::resource::Database| database.text("/status/instance/resourceId").to_owned();
    ensure!(resource(&second) != resource(&first), "the old instance is back");
    for before in &logins {
        let now = scene.login("dear", if before.username() == "app" { "app" } else { "master" }).await?;
        ensure!(now.password() == before.password(), "the password of {} changed", before.username());
    }
    let predecessor = second.expect("FinalSnapshotExists", "True")?;
    ensure!(predecessor.message.contains(&snapshot), "{predecessor:?}");
    let mut session = scene.connect("dear", "app").await?;
    let tables: Vec<(String,)> = sqlx::query_as("SELECT tablename::text FROM pg_tables WHERE tablename = 'letter'")
        .fetch_all(&mut session)
        .await?;
    ensure!(tables.is_empty(), "the new database is not empty");
    session.close().await?;

    // Its own end makes a snapshot of its own; the first stays.
    scene.delete("dear").await?;
    let all = cloud::snapshots(rds, &identifier).await?;
    ensure!(all.len() == 2 && all.iter().all(|snapshot| snapshot.status() == Some("available")), "{all:?}");
    Ok(())
}

/// What the table `letter` holds in an instance restored from a snapshot, read with the Secret that stayed.
async fn restored(scene: &Scene<'_>, snapshot: &str, login: Login) -> Result<Vec<String>> {
    let rds = scene.stack.rds();
    let identifier = format!("restored-{}", scene.namespace);
    let restore = rds.client().restore_db_instance_from_db_snapshot().db_snapshot_identifier(snapshot);
    restore.db_instance_identifier(&identifier).send().await.with_context(|| format!("restoring {snapshot}"))?;
    let instance = cloud::until(rds, &identifier, "available").await?;
    let endpoint = instance.endpoint().context("an available instance without an endpoint")?;
    let port = u16::try_from(endpoint.port().unwrap_or_default())?;
    let mut session = login.at(endpoint.address().unwrap_or_default(), port).connect(&rds.ca()).await?;
    let words: Vec<(String,)> = sqlx::query_as("SELECT words FROM letter").fetch_all(&mut session).await?;
    session.close().await?;
    cloud::discard(rds, &identifier).await?;
    Ok(words.into_iter().map(|(words,)| words).collect())
}

async fn i3_protection_holds(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "protected").await?;
    scene.apply("vault", "{deletionProtection: true}").await?;
    let database = scene.ready("vault").await?;
    let identifier = database.text("/status/instance/identifier").to_owned();
    ensure!(cloud::existing(rds, &identifier).await?.deletion_protection() == Some(true), "RDS does not protect it");

    let refused = scene.kubectl().run(&["delete", "rds", "-n", "protected", "vault"]).await?;
    ensure!(!refused.success && refused.stderr.contains("spec.deletionProtection is true"), "{refused:?}");

    // An edit on the way out reaches what the admission policy cannot see: the reconciler keeps the promise.
    let change = async |spec: &str| {
        scene.ok(&["patch", "rds", "vault", "--type=merge", "-p", &format!(r#"{{"spec":{spec}}}"#)]).await
    };
    change(r#"{"paused":true,"deletionPolicy":"Retain"}"#).await?;
    scene.ok(&["delete", "rds", "vault", "--wait=false"]).await?;
    change(r#"{"paused":false,"deletionPolicy":"Snapshot"}"#).await?;
    let held = eventually("the object to say why it stays", async || {
        let database = scene.database("vault").await?;
        database.expect("Stalled", "True")
    })
    .await?;
    ensure!(held.reason == "DeletionProtected", "{held:?}");
    ensure!(held.message.contains("spec.deletionProtection"), "{held:?}");
    let instance = cloud::existing(rds, &identifier).await?;
    ensure!(instance.db_instance_status() == Some("available"), "{instance:?}");
    ensure!(!scene.names("services").await?.is_empty(), "applications lost the Service of a database that stays");

    change(r#"{"deletionProtection":false}"#).await?;
    scene.gone("vault").await?;
    cloud::final_snapshot(rds, &identifier).await?;
    ensure!(cloud::instance(rds, &identifier).await?.is_none(), "the instance is still there");
    Ok(())
}

/// RDS cannot snapshot an instance that it still creates: the deletion waits, and says for what.
async fn i3_deleted_before_it_was_ready(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "hasty").await?;
    scene.apply("early", "{users: {app: []}}").await?;
    let identifier = eventually("the instance to be asked for", async || {
        let identifier = scene.database("early").await?.text("/status/instance/identifier").to_owned();
        rds.order(&json!({"instance": identifier, "status": "creating"})).await?;
        Ok(identifier)
    })
    .await?;
    scene.ok(&["delete", "rds", "early", "--wait=false"]).await?;
    eventually("the object to say what it waits for", async || {
        let condition = scene.database("early").await?.expect("Deleted", "False")?;
        ensure!(condition.reason == "InstanceCreating", "{condition:?}");
        Ok(())
    })
    .await?;
    ensure!(cloud::snapshots(rds, &identifier).await?.is_empty(), "a snapshot of an instance that is being created");
    rds.order(&json!({"instance": identifier, "status": null})).await?;
    scene.gone("early").await?;
    cloud::final_snapshot(rds, &identifier).await?;
    ensure!(cloud::instance(rds, &identifier).await?.is_none(), "the instance is still there");
    Ok(())
}

/// Its Secrets go with it, and nothing makes new ones; the data is in the final snapshot.
async fn i3_a_namespace_takes_its_databases_along(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "whole-namespace").await?;
    scene.apply("tenant", "{users: {app: []}, databases: {data: [app]}}").await?;
    let identifier = scene.ready("tenant").await?.text("/status/instance/identifier").to_owned();
    scene.kubectl().ok(&["delete", "namespace", "whole-namespace", "--wait=false"]).await?;
    eventually("the namespace to go", async || {
        let left =
            scene.kubectl().ok(&["get", "namespace", "whole-namespace", "--ignore-not-found", "-o", "yaml"]).await?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    })
    .await?;
    cloud::final_snapshot(stack.rds(), &identifier).await?;
    ensure!(cloud::instance(stack.rds(), &identifier).await?.is_none(), "the instance is still there");
    let alias = ["get", "service", "-n", "rds", "tenant", "--ignore-not-found", "-o", "name"];
    ensure!(scene.kubectl().ok(&alias).await?.is_empty(), "the alias stayed");
    Ok(())
}

async fn deletion_policy_delete_leaves_nothing(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "scratch").await?;
    let applied = scene.apply("pad", "{deletionPolicy: Delete}").await?;
    ensure!(applied.stderr.contains("spec.deletionPolicy: Delete makes no final snapshot"), "{}", applied.stderr);
    let database = scene.ready("pad").await?;
    let identifier = database.text("/status/instance/identifier").to_owned();
    scene.delete("pad").await?;
    ensure!(cloud::instance(stack.rds(), &identifier).await?.is_none(), "the instance is still there");
    let snapshots = cloud::snapshots(stack.rds(), &identifier).await?;
    ensure!(snapshots.is_empty(), "{snapshots:?}");
    let automated = stack.rds().client().describe_db_snapshots().db_instance_identifier(&identifier).send().await?;
    ensure!(automated.db_snapshots().is_empty(), "automated backups stayed: {:?}", automated.db_snapshots());
    Ok(())
}

/// Retained, the instance still carries the marks of an object that is no more: a new one of that name takes it up when it is told to,
/// and leaves it alone until then.
async fn i1_a_retained_instance_waits(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "retained").await?;
    let spec = "{deletionPolicy: Retain, users: {app: []}, databases: {data: [app]}}";
    scene.apply("keep", spec).await?;
    let database = scene.ready("keep").await?;
    let identifier = database.text("/status/instance/identifier").to_owned();
    let login = scene.login("keep", "app").await?;
    let mut session = scene.connect("keep", "app").await?;
    session.execute("CREATE TABLE letter (words text); INSERT INTO letter VALUES ('kept')").await?;
    session.close().await?;
    scene.delete("keep").await?;
    ensure!(scene.names("services").await?.is_empty(), "Services stayed: {:?}", scene.names("services").await?);
    let retained = cloud::existing(rds, &identifier).await?;
    ensure!(retained.db_instance_status() == Some("available"), "{retained:?}");
    login.connect(&rds.ca()).await.context("the retained database serves no more")?.close().await?;

    scene.apply("keep", "{size: 50GB, users: {other: []}}").await?;
    let stalled = scene.wait_for("keep", "Stalled", "True").await?;
    let reason = stalled.expect("InstanceReady", "False")?;
    let resource = retained.dbi_resource_id().context("an instance without a resource id")?;
    let accept = format!("matrixmind.cloud/accept-instance={resource}");
    ensure!(reason.reason == "InstanceOfPredecessor" && reason.message.contains(&accept), "{reason:?}");
    login.connect(&rds.ca()).await.context("the new object touched the old instance")?.close().await?;
    scene.delete("keep").await?;
    let untouched = cloud::existing(rds, &identifier).await?;
    ensure!(untouched.dbi_resource_id() == retained.dbi_resource_id(), "{untouched:?}");
    ensure!(untouched.allocated_storage() == Some(20) && untouched.db_instance_status() == Some("available"));
    ensure!(untouched.tag_list() == retained.tag_list(), "its tags were changed: {:?}", untouched.tag_list());

    scene.apply("keep", spec).await?;
    scene.ok(&["annotate", "rds", "keep", &accept]).await?;
    let taken_up = scene.ready("keep").await?;
    ensure!(taken_up.text("/status/instance/resourceId") == resource, "{:?}", taken_up.at("/status/instance"));
    let mut session = scene.connect("keep", "app").await?;
    let words: Vec<(String,)> = sqlx::query_as("SELECT words FROM letter").fetch_all(&mut session).await?;
    ensure!(words == [("kept".to_owned(),)], "the retained database holds {words:?}");
    session.close().await?;
    // Now it is this object's: it goes with it.
    scene.ok(&["patch", "rds", "keep", "--type=merge", "-p", r#"{"spec":{"deletionPolicy":"Snapshot"}}"#]).await?;
    scene.delete("keep").await?;
    cloud::final_snapshot(rds, &identifier).await?;
    ensure!(cloud::instance(rds, &identifier).await?.is_none(), "the instance is still there");
    Ok(())
}
