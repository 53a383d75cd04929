//! What is broken from outside is mended, and what cannot be mended is said.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;
use sqlx::{Connection as _, Executor as _};
use testbed::{eventually::eventually, stack::Part};

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "repairs::a_deleted_secret_comes_back_and_works", a_deleted_secret_comes_back_and_works),
        trial(world, "repairs::a_deleted_service_comes_back", a_deleted_service_comes_back),
        trial(world, "repairs::i11_what_went_wrong_meanwhile_is_found_after_a_restart", i11_what_went_wrong_meanwhile),
        trial(world, "repairs::i2_a_lost_instance_is_not_replaced_unasked", i2_a_lost_instance_is_not_replaced),
        trial(world, "repairs::i9_a_throttled_creation_is_tried_again", i9_a_throttled_creation_is_tried_again),
    ]
}

async fn a_deleted_secret_comes_back_and_works(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "lost-secrets").await?;
    scene.apply("keys", "{users: {app: []}, databases: {door: [app]}}").await?;
    scene.ready("keys").await?;
    let other = scene.login("keys", "master").await?;
    for user in ["app", "master"] {
        let before = scene.login("keys", user).await?;
        scene.ok(&["delete", "secret", &format!("keys.rds.{user}")]).await?;
        eventually(&format!("the new password of {user} to work"), async || {
            let now = scene.login("keys", user).await?;
            ensure!(now.password() != before.password(), "the Secret is still the old one");
            now.connect(&stack.rds().ca()).await?.close().await?;
            Ok(())
        })
        .await?;
        ensure!(before.connect(&stack.rds().ca()).await.is_err(), "the lost password of {user} still works");
        scene.ready("keys").await?;
        if user == "app" {
            ensure!(scene.login("keys", "master").await?.password() == other.password(), "master's changed too");
        }
    }
    // A Secret that lost just its password.
    scene
        .ok(&["patch", "secret", "keys.rds.app", "--type=json", "-p", r#"[{"op":"remove","path":"/data/password"}]"#])
        .await?;
    eventually("the emptied Secret to work", async || {
        scene.connect("keys", "app").await?.close().await?;
        Ok(())
    })
    .await
}

async fn a_deleted_service_comes_back(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "lost-services").await?;
    scene.apply("signpost", "{}").await?;
    let database = scene.ready("signpost").await?;
    let host = database.text("/status/endpoint/host");
    for (namespace, name) in [("lost-services", "signpost-rds"), ("rds", "signpost")] {
        let target = ["get", "service", "-n", namespace, name, "-o", "jsonpath={.spec.externalName}"];
        scene.kubectl().ok(&["delete", "service", "-n", namespace, name]).await?;
        eventually(&format!("the Service {namespace}/{name} to come back"), async || {
            let leads_to = scene.kubectl().ok(&target).await?;
            ensure!(leads_to == host, "it leads to {leads_to}");
            Ok(())
        })
        .await?;
        let astray = r#"{"spec":{"externalName":"elsewhere.example.org"}}"#;
        scene.kubectl().ok(&["patch", "service", "-n", namespace, name, "--type=merge", "-p", astray]).await?;
        eventually(&format!("the Service {namespace}/{name} to be set right"), async || {
            let leads_to = scene.kubectl().ok(&target).await?;
            ensure!(leads_to == host, "it leads to {leads_to}");
            Ok(())
        })
        .await?;
    }
    scene.ready("signpost").await.map(drop)
}

/// The status says Ready, nothing in Kubernetes has changed, and what an earlier process saw is true no more.
async fn i11_what_went_wrong_meanwhile(world: &World) -> Result<()> {
    let stack = world.own_stack("meanwhile").await?;
    let scene = Scene::new(&stack, "meanwhile").await?;
    scene.apply("drifted", "{users: {app: []}, databases: {data: [app]}}").await?;
    scene.ready("drifted").await?;
    stack.stop_part(Part::Reconciler).await?;
    let mut master = scene.connect("drifted", "master").await?;
    master.execute("ALTER ROLE app NOLOGIN; REVOKE CONNECT ON DATABASE data FROM app").await?;
    master.close().await?;
    ensure!(scene.connect("drifted", "app").await.is_err(), "app can log in all the same");

    stack.restart(Part::Reconciler).await?;
    eventually("app to log in again", async || {
        scene.connect("drifted", "app").await?.close().await?;
        Ok(())
    })
    .await?;
    scene.ready("drifted").await.map(drop)
}

async fn i2_a_lost_instance_is_not_replaced(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "lost-instance").await?;
    scene.apply("gone", "{users: {app: []}, databases: {data: [app]}}").await?;
    let before = scene.ready("gone").await?;
    let identifier = before.text("/status/instance/identifier").to_owned();
    let resource = before.text("/status/instance/resourceId").to_owned();
    let login = scene.login("gone", "app").await?;

    rds.order(&json!({"remove_instance": identifier})).await?;
    let lost = scene.wait_for("gone", "Stalled", "True").await?;
    let condition = lost.expect("InstanceReady", "False")?;
    ensure!(condition.reason == "InstanceLost" && condition.message.contains(&resource), "{condition:?}");
    lost.expect("Ready", "False")?;

    // A change of the spec is no order for an empty database in place of the lost one. Its generation shows that it was looked at.
    scene.apply("gone", "{size: 50GB, users: {app: []}, databases: {data: [app]}}").await?;
    let still = scene.wait_for("gone", "Stalled", "True").await?;
    ensure!(still.expect("InstanceReady", "False")?.reason == "InstanceLost", "{:?}", still.conditions());
    ensure!(cloud::instance(rds, &identifier).await?.is_none(), "an empty instance took the place of the lost one");
    ensure!(still.text("/status/instance/resourceId") == resource, "what was lost is forgotten");

    let recreate = format!("matrixmind.cloud/recreate-lost-instance={resource}");
    scene.ok(&["annotate", "rds", "gone", &recreate]).await?;
    let after = scene.ready("gone").await?;
    ensure!(after.text("/status/instance/resourceId") != resource, "{:?}", after.at("/status/instance"));
    ensure!(scene.login("gone", "app").await?.password() == login.password(), "the password changed");
    scene.connect("gone", "app").await?.close().await?;
    Ok(())
}

/// Of the test's own, because whoever creates next gets the fault.
async fn i9_a_throttled_creation_is_tried_again(world: &World) -> Result<()> {
    let stack = world.own_stack("throttled").await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "throttled").await?;
    let fault = json!({"action": "CreateDBInstance", "code": "Throttling", "message": "Rate exceeded", "times": 3});
    rds.order(&fault).await?;
    scene.apply("patient", "{}").await?;
    eventually("the refusal to be told", async || {
        let database = scene.database("patient").await?;
        let condition = database.expect("InstanceReady", "False")?;
        ensure!(condition.reason == "CloudUnavailable" && condition.message.contains("Rate exceeded"), "{condition:?}");
        // What passes by itself is no standstill.
        database.expect("Stalled", "False")
    })
    .await?;
    scene.ready("patient").await?;
    let calls = rds.counters().await?.calls.get("CreateDBInstance").copied();
    ensure!(calls == Some(4), "three refused calls and one more, not {calls:?}");
    ensure!(cloud::instances_of(rds, "throttled", "patient").await?.len() == 1, "more than one instance");
    Ok(())
}
