//! What is admitted and not built yet: said at the apply and in the status, never silently.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;

use crate::{
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "not_yet::mysql_is_admitted_and_nothing_is_created", mysql),
        trial(world, "not_yet::another_interval_of_backups_is_admitted_and_not_scheduled", interval),
    ]
}

async fn mysql(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "mysql").await?;
    let applied = scene.apply("orders", "{type: MySQL, users: {app: []}, databases: {orders: [app]}}").await?;
    let warned = "Warning: spec.type: MySQL is not supported yet: the object is kept, but nothing is created";
    ensure!(applied.stderr.lines().any(|line| line == warned), "{}", applied.stderr);

    let database = scene.wait_for("orders", "Stalled", "True").await?;
    ensure!(database.text("/spec/version") == "8.4", "{}", database.at("/spec"));
    for (condition, status) in [("Stalled", "True"), ("Ready", "False"), ("Accepted", "False")] {
        let found = database.expect(condition, status)?;
        ensure!(found.reason == "EngineNotSupported" && found.message.contains("MySQL"), "{found:?}");
    }
    for kind in ["secrets", "services"] {
        let names = scene.names(kind).await?;
        ensure!(names.is_empty(), "{kind} were made: {names:?}");
    }
    let instances = scene.instances().await?;
    ensure!(instances.is_empty(), "instances were made: {instances:?}");
    scene.delete("orders").await
}

async fn interval(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "interval").await?;
    let applied = scene.apply("orders", "{backup: {every: 6h, retention: 14d}}").await?;
    let warned = "Warning: spec.backup.every: 6h is not scheduled yet";
    ensure!(applied.stderr.lines().any(|line| line.starts_with(warned)), "{}", applied.stderr);

    let database = scene.ready("orders").await?;
    let backups = database.expect("BackupsReady", "False")?;
    ensure!(backups.reason == "NotScheduled" && backups.message.contains("6h"), "{backups:?}");
    ensure!(database.text("/status/backups/notScheduled").contains("6h"), "{}", database.at("/status/backups"));
    ensure!(database.at("/status/backups/retentionDays") == 14, "{}", database.at("/status/backups"));
    database.expect("Stalled", "False")?;

    scene.ok(&["patch", "rds", "orders", "--type=merge", "-p", r#"{"spec":{"backup":{"every":"1d"}}}"#]).await?;
    let database = scene.wait_for("orders", "BackupsReady", "True").await?;
    ensure!(database.at("/status/backups/notScheduled").is_null(), "{}", database.at("/status/backups"));
    scene.delete("orders").await
}
