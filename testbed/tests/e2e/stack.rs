//! The stack itself: what is installed answers where the API server looks for it, with the rights it is shipped with.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sqlx::Connection as _;
use testbed::{controlplane::Mark, eventually::eventually, stack::Part};

use crate::{
    columns,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "stack::the_webhook_answers_behind_its_service", the_webhook_answers_behind_its_service),
        trial(world, "stack::an_empty_spec_becomes_a_database", an_empty_spec_becomes_a_database),
        trial(world, "stack::users_log_in_to_their_databases_only", users_log_in_to_their_databases_only),
        trial(world, "stack::a_killed_webhook_comes_back", a_killed_webhook_comes_back),
    ]
}

async fn the_webhook_answers_behind_its_service(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "answers").await?;
    let args = ["create", "--dry-run=server", "-o", "jsonpath={.spec.version} {.spec.masteruser}", "-f", "-"];
    let output = scene.kubectl().run_with_input(&args, &scene.manifest("defaults", "{}")).await?;
    ensure!(output.success && output.stdout == "12 sysadmin", "{output:?}");
    ensure!(scene.names("rdsdatabases").await?.is_empty(), "a dry run made an object");

    let message = scene.refused("bad", "{databases: {orders: [nobody]}}").await?;
    ensure!(message.contains("spec.databases[orders][0]"), "{message}");
    Ok(())
}

async fn an_empty_spec_becomes_a_database(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "empty").await?;
    let applied = scene.apply("minimal", "{}").await?;
    let warnings = applied.stderr.lines().filter(|line| line.starts_with("Warning:")).count();
    ensure!(warnings == 1, "wanted a warning about Extended Support: {}", applied.stderr);

    let database = scene.ready("minimal").await?;
    ensure!(database.text("/status/engineVersion").starts_with("12."), "{:?}", database.at("/status"));
    ensure!(database.at("/status/allocatedStorageGiB") == 20, "{:?}", database.at("/status"));
    let table = scene.ok(&["get", "rds"]).await?;
    ensure!(columns::words(&table) == columns::COLUMNS, "{table}");

    let (writes, _) = stack.controlplane().writes_since(Mark::default())?;
    let reconciler = "system:serviceaccount:rds-system:rds-reconciler";
    ensure!(writes.iter().any(|write| write.user == reconciler && write.object.starts_with("empty/")), "{writes:?}");
    scene.delete("minimal").await
}

async fn users_log_in_to_their_databases_only(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "logins").await?;
    scene.apply("pair", "{users: {app: [], other: []}, databases: {one: [app], two: [other]}}").await?;
    scene.ready("pair").await?;
    ensure!(scene.login("pair", "app").await?.username() == "app", "another user's Secret");

    let mut app = scene.connect("pair", "app").await?;
    let (database,): (String,) = sqlx::query_as("SELECT current_database()::text").fetch_one(&mut app).await?;
    ensure!(database == "one", "app is in {database}");
    scene.connect_to("pair", "other", "two").await?.close().await?;
    let refused = scene.connect_to("pair", "app", "two").await;
    ensure!(refused.is_err(), "app can log in to the database of other");
    app.close().await?;
    scene.delete("pair").await
}

async fn a_killed_webhook_comes_back(world: &World) -> Result<()> {
    let stack = world.stack_alone().await?;
    let scene = Scene::new(&stack, "comeback").await?;
    stack.kill(Part::Webhook).await?;
    let args = ["create", "--dry-run=server", "-f", "-"];
    let manifest = scene.manifest("later", "{}");
    let refused = scene.kubectl().run_with_input(&args, &manifest).await?;
    ensure!(!refused.success && refused.stderr.contains("failed calling webhook"), "{refused:?}");

    stack.restart(Part::Webhook).await?;
    eventually("admission to work again", async || {
        let output = scene.kubectl().run_with_input(&args, &manifest).await?;
        ensure!(output.success, "{}", output.stderr);
        Ok(())
    })
    .await
}
