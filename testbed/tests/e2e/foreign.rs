//! What is somebody else's is left alone, whatever it is called, and an object that finds its way blocked goes on when it is free.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sqlx::Connection as _;
use testbed::{eventually::eventually, resource::Database};

use crate::{
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "foreign::i10_a_users_secret_of_somebody_else_is_left_alone", a_users_secret),
        trial(world, "foreign::i10_a_master_secret_of_somebody_else_stops_the_creation", a_master_secret),
        trial(world, "foreign::i10_a_service_of_somebody_else_is_left_alone", a_service),
    ]
}

async fn a_users_secret(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "their-secret").await?;
    // One that knows nothing of the operator, and one that is dressed up as another object's.
    scene.ok(&["create", "secret", "generic", "orders.rds.app", "--from-literal=password=theirs"]).await?;
    scene.ok(&["create", "secret", "generic", "orders.rds.report", "--from-literal=password=theirs-too"]).await?;
    let labels = ["app.kubernetes.io/managed-by=rds-reconciler", "matrixmind.cloud/database=orders"];
    scene.ok(&["label", "secret", "orders.rds.report", labels[0], labels[1]]).await?;
    let marks = ["matrixmind.cloud/owner-namespace=their-secret", "matrixmind.cloud/owner-name=invoices"];
    scene.ok(&["annotate", "secret", "orders.rds.report", marks[0], marks[1]]).await?;
    let theirs = || async {
        let app = scene.ok(&["get", "secret", "orders.rds.app", "-o", "json"]).await?;
        anyhow::Ok((app, scene.ok(&["get", "secret", "orders.rds.report", "-o", "json"]).await?))
    };
    let before = theirs().await?;

    scene.apply("orders", "{users: {app: [], report: [], free: []}, databases: {orders: [app, report, free]}}").await?;
    let blocked = blocked(&scene, "orders", "SecretsReady", "SecretNotOurs").await?;
    for secret in ["orders.rds.app", "orders.rds.report"] {
        ensure!(blocked.contains(secret), "{secret} is not named: {blocked}");
    }
    // The others are served meanwhile.
    eventually("the user whose Secret is free to log in", async || {
        Ok(scene.connect("orders", "free").await?.close().await?)
    })
    .await?;
    let after = theirs().await?;
    ensure!(after == before, "changed from {before:?} to {after:?}");
    scene.event("SecretNotOurs").await?;

    scene.ok(&["delete", "secret", "orders.rds.app", "orders.rds.report"]).await?;
    let ready = scene.ready("orders").await?;
    ensure!(ready.at("/metadata/generation") == 1, "somebody had to touch the object");
    for user in ["app", "report"] {
        scene.connect("orders", user).await?.close().await?;
    }
    scene.delete("orders").await
}

async fn a_master_secret(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "their-master").await?;
    scene.ok(&["create", "secret", "generic", "orders.rds.master", "--from-literal=password=theirs"]).await?;
    let before = scene.ok(&["get", "secret", "orders.rds.master", "-o", "json"]).await?;
    scene.apply("orders", "{}").await?;
    let blocked = blocked(&scene, "orders", "SecretsReady", "SecretNotOurs").await?;
    ensure!(blocked.contains("orders.rds.master"), "{blocked}");
    eventually("the creation to wait for the Secret", async || {
        let waiting = scene.database("orders").await?.expect("InstanceReady", "False")?;
        ensure!(waiting.reason == "WaitingForSecret", "{waiting:?}");
        Ok(())
    })
    .await?;
    let instances = scene.instances().await?;
    ensure!(instances.is_empty(), "created with a password that is in no Secret of ours: {instances:?}");
    let after = scene.ok(&["get", "secret", "orders.rds.master", "-o", "json"]).await?;
    ensure!(after == before, "changed from {before} to {after}");

    scene.ok(&["delete", "secret", "orders.rds.master"]).await?;
    scene.ready("orders").await?;
    scene.connect_to("orders", "master", "postgres").await?.close().await?;
    scene.delete("orders").await
}

async fn a_service(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "their-service").await?;
    scene.ok(&["create", "service", "clusterip", "orders-rds", "--tcp=5432"]).await?;
    let before = scene.ok(&["get", "service", "orders-rds", "-o", "json"]).await?;
    scene.apply("orders", "{}").await?;
    let blocked = blocked(&scene, "orders", "ServiceReady", "ServiceNotOurs").await?;
    ensure!(blocked.contains("orders-rds"), "{blocked}");
    // All the rest is done: only the Service keeps the object from being Ready.
    scene.wait_for("orders", "DatabasesReady", "True").await?;
    let after = scene.ok(&["get", "service", "orders-rds", "-o", "json"]).await?;
    ensure!(after == before, "changed from {before} to {after}");

    scene.ok(&["delete", "service", "orders-rds"]).await?;
    scene.ready("orders").await?;
    let external = scene.ok(&["get", "service", "orders-rds", "-o", "jsonpath={.spec.type}"]).await?;
    ensure!(external == "ExternalName", "{external}");
    scene.delete("orders").await
}

/// Waits until the concern is blocked for this reason and the whole object says so; gives the message.
async fn blocked(scene: &Scene<'_>, name: &str, concern: &str, reason: &str) -> Result<String> {
    let what = format!("{}/{name} to say {reason}", scene.namespace);
    eventually(&what, async || {
        let database: Database = scene.database(name).await?;
        let found = database.expect(concern, "False")?;
        ensure!(found.reason == reason, "{found:?}");
        for (summary, status) in [("Ready", "False"), ("Stalled", "True"), ("Reconciling", "False")] {
            let said = database.expect(summary, status)?;
            ensure!(said.reason == reason && said.message == found.message, "{said:?}");
        }
        Ok(found.message)
    })
    .await
}
